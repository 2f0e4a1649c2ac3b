//! Users and their passwords.

use async_trait::async_trait;
use latchkey_domain::{
    AccountKind, EventId, NewEvent, NewUser, PasswordHash, Role, User, UserId, UserIdentity,
};
use latchkey_ports::{Account, Entity, Page, PasswordChange, StoreError, UserRepository};

use crate::{
    MemoryStore,
    state::{State, page_of, to_usize},
};

/// Returns whether this user counts as an admin; service accounts do not.
fn is_admin(user: &User) -> bool {
    user.kind == AccountKind::Person && user.root_role == Role::ADMIN
}

fn differs(kept: &User, seen: &User) -> bool {
    kept.identity != seen.identity || kept.name != seen.name || kept.root_role != seen.root_role
}

impl State {
    /// Fails if a user other than `except` has one of these login names.
    pub(crate) fn check_identity(
        &self,
        identity: &UserIdentity,
        except: Option<UserId>,
    ) -> Result<(), StoreError> {
        let names: Vec<String> = identity.login_names().collect();
        let mut others = self.users.values().filter(|user| Some(user.id) != except);
        let is_known = others.any(|user| user.identity.login_names().any(|name| names.contains(&name)));
        if is_known { Err(StoreError::Conflict(Entity::UserIdentity)) } else { Ok(()) }
    }

    fn account(&self, user: &User) -> Account {
        Account { user: user.clone(), password: self.passwords.get(&user.id).cloned() }
    }

    /// Fails if this is the last admin.
    fn check_not_last_admin(&self, user: &User) -> Result<(), StoreError> {
        let mut others = self.users.values().filter(|other| other.id != user.id);
        if is_admin(user) && !others.any(is_admin) { Err(StoreError::LastAdmin) } else { Ok(()) }
    }
}

#[async_trait]
impl UserRepository for MemoryStore {
    async fn create_user(
        &self,
        user: &NewUser,
        password: Option<PasswordHash>,
        event: &NewEvent,
    ) -> Result<(UserId, EventId), StoreError> {
        let mut state = self.state();
        state.role(user.root_role, |role| role.kind.is_root())?;
        state.check_identity(&user.identity, None)?;
        let id = state.next_user();
        state.users.insert(id, user.clone().with_id(id));
        state.passwords.extend(password.map(|password| (id, password)));
        let event = state.record(event.clone().with_assigned_id(id.0));
        Ok((id, event))
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.state().users.get(&id).cloned())
    }

    async fn find_account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        let state = self.state();
        Ok(state.users.get(&id).map(|user| state.account(user)))
    }

    async fn find_account_by_login(&self, login: &str) -> Result<Option<Account>, StoreError> {
        let state = self.state();
        let email = login.to_lowercase();
        let by_name = |user: &&User| user.identity.username().is_some_and(|name| name.as_str() == login);
        let by_email = |user: &&User| user.identity.email().is_some_and(|known| known.key() == email);
        let found = state.users.values().find(by_name).or_else(|| state.users.values().find(by_email));
        Ok(found.map(|user| state.account(user)))
    }

    async fn users(&self, kind: AccountKind, page: Page) -> Result<Vec<User>, StoreError> {
        let state = self.state();
        Ok(page_of(state.users.values().filter(|user| user.kind == kind).cloned(), page))
    }

    async fn search_users(&self, text: &str, limit: u32) -> Result<Vec<User>, StoreError> {
        let text = text.to_lowercase();
        let contains = |known: &str| known.to_lowercase().contains(&text);
        let matches = |user: &&User| {
            user.name.as_ref().is_some_and(|name| contains(name.as_str()))
                || user.identity.names().into_iter().any(contains)
        };
        Ok(self.state().users.values().filter(matches).take(to_usize(limit)).cloned().collect())
    }

    async fn update_user(
        &self,
        before: &User,
        after: &User,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        let kept = state.user(before.id)?;
        state.role(after.root_role, |role| role.kind.is_root())?;
        if differs(kept, before) {
            return Err(StoreError::Stale(Entity::User(before.id)));
        }
        if after.root_role != Role::ADMIN {
            state.check_not_last_admin(kept)?;
        }
        state.check_identity(&after.identity, Some(before.id))?;
        if let Some(kept) = state.users.get_mut(&before.id) {
            kept.identity = after.identity.clone();
            kept.name.clone_from(&after.name);
            kept.root_role = after.root_role;
        }
        Ok(state.record(event.clone()))
    }

    async fn delete_user(&self, id: UserId, event: &NewEvent) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.check_not_last_admin(state.user(id)?)?;
        state.users.remove(&id);
        state.passwords.remove(&id);
        state.memberships.retain(|(user, _, _), _| *user != id);
        for group in state.groups.values_mut() {
            group.members.remove(&id);
        }
        state.retain_personal_tokens(|token| token.user != id);
        state.retain_sessions(|session| session.user != id);
        Ok(state.record(event.clone()))
    }

    async fn set_password(&self, change: &PasswordChange, event: &NewEvent) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.person(change.user)?;
        if change.before.is_some() && state.passwords.get(&change.user) != change.before.as_ref() {
            return Err(StoreError::Stale(Entity::User(change.user)));
        }
        state.passwords.insert(change.user, change.after.clone());
        state.retain_sessions(|session| session.user != change.user);
        Ok(state.record(event.clone()))
    }

    async fn upgrade_password_hash(
        &self,
        user: UserId,
        before: &PasswordHash,
        after: &PasswordHash,
    ) -> Result<(), StoreError> {
        match self.state().passwords.get_mut(&user) {
            Some(kept) if kept == before => *kept = after.clone(),
            _ => return Err(StoreError::Stale(Entity::User(user))),
        }
        Ok(())
    }
}
