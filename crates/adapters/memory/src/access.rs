//! Users, memberships and personal access tokens.

use async_trait::async_trait;
use latchkey_domain::{
    EventId, Grants, NewEvent, NewPersonalToken, NewUser, PersonalTokenId, ProjectId, Role, RoleId,
    Timestamp, User, UserId, UserIdentity,
};
use latchkey_ports::{
    AccessRepository, Entity, PersonalTokenHolder, PersonalTokenRepository, SecretDigest, SecretRecord,
    StoreError, UserRepository,
};

use crate::{MemoryStore, state::State};

impl State {
    fn is_known(&self, identity: &UserIdentity) -> bool {
        self.users.values().map(|user| &user.identity).any(|known| {
            let same_name = identity.username().is_some() && known.username() == identity.username();
            let same_email = identity.email().is_some() && known.email() == identity.email();
            same_name || same_email
        })
    }

    fn role(&self, id: RoleId, fits: impl Fn(&Role) -> bool) -> Result<&Role, StoreError> {
        let role = self.roles.get(&id).filter(|role| fits(role));
        role.ok_or(StoreError::NotFound(Entity::Role(id)))
    }

    fn grants(&self, user: &User) -> Result<Grants, StoreError> {
        let root = self.role(user.root_role, |_| true)?;
        let held = self.memberships.iter().filter(|(holder, _, _)| *holder == user.id);
        let in_projects =
            held.filter_map(|(_, project, role)| Some((project.clone(), self.roles.get(role)?)));
        Ok(Grants::of_roles(root, in_projects))
    }
}

#[async_trait]
impl UserRepository for MemoryStore {
    async fn create_user(&self, user: &NewUser, event: &NewEvent) -> Result<(UserId, EventId), StoreError> {
        let mut state = self.state();
        state.role(user.root_role, |role| role.kind.is_root())?;
        if state.is_known(&user.identity) {
            return Err(StoreError::Conflict(Entity::UserIdentity));
        }
        let id = state.next_user();
        state.users.insert(id, user.clone().with_id(id));
        let event = state.record(event.clone().with_assigned_id(id.0));
        Ok((id, event))
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.state().users.get(&id).cloned())
    }

    async fn find_user_by_login(&self, login: &str) -> Result<Option<User>, StoreError> {
        let state = self.state();
        let email = login.to_lowercase();
        let by_name = |user: &&User| user.identity.username().is_some_and(|name| name.as_str() == login);
        let by_email = |user: &&User| user.identity.email().is_some_and(|known| known.key() == email);
        let found = state.users.values().find(by_name).or_else(|| state.users.values().find(by_email));
        Ok(found.cloned())
    }
}

#[async_trait]
impl AccessRepository for MemoryStore {
    async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        Ok(self.state().roles.values().cloned().collect())
    }

    async fn add_membership(
        &self,
        user: UserId,
        project: &ProjectId,
        role: RoleId,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        if !state.users.contains_key(&user) {
            return Err(StoreError::NotFound(Entity::User(user)));
        }
        if !state.projects.contains_key(project) {
            return Err(StoreError::NotFound(Entity::Project(project.clone())));
        }
        state.role(role, |role| !role.kind.is_root())?;
        if !state.memberships.insert((user, project.clone(), role)) {
            return Err(StoreError::Conflict(Entity::Membership));
        }
        Ok(state.record(event.clone()))
    }

    async fn grants_of(&self, user: UserId) -> Result<Option<Grants>, StoreError> {
        let state = self.state();
        state.users.get(&user).map(|user| state.grants(user)).transpose()
    }
}

#[async_trait]
impl PersonalTokenRepository for MemoryStore {
    async fn create_personal_token(
        &self,
        token: &NewPersonalToken,
        secret: &SecretRecord,
        event: &NewEvent,
    ) -> Result<(PersonalTokenId, EventId), StoreError> {
        let mut state = self.state();
        if !state.users.contains_key(&token.user) {
            return Err(StoreError::NotFound(Entity::User(token.user)));
        }
        let mut own = state.personal_tokens.values().filter(|kept| kept.user == token.user);
        if own.any(|kept| kept.description == token.description) {
            return Err(StoreError::Conflict(Entity::PersonalTokenDescription));
        }
        if state.personal_tokens_by_digest.contains_key(&secret.digest) {
            return Err(StoreError::Conflict(Entity::Secret));
        }
        let id = state.next_personal_token();
        state.personal_tokens_by_digest.insert(secret.digest, id);
        state.personal_tokens.insert(id, token.clone().with_id(id));
        let event = state.record(event.clone().with_assigned_id(id.0));
        Ok((id, event))
    }

    async fn find_personal_token_by_digest(
        &self,
        digests: &[SecretDigest],
    ) -> Result<Option<PersonalTokenHolder>, StoreError> {
        let state = self.state();
        let id = digests.iter().find_map(|digest| state.personal_tokens_by_digest.get(digest));
        let Some(kept) = id.and_then(|id| state.personal_tokens.get(id)) else {
            return Ok(None);
        };
        let Some(user) = state.users.get(&kept.user) else {
            return Ok(None);
        };
        let grants = state.grants(user)?;
        Ok(Some(PersonalTokenHolder { token: kept.clone(), user: user.clone(), grants }))
    }

    async fn record_personal_tokens_seen(
        &self,
        seen: &[(PersonalTokenId, Timestamp)],
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        for (id, at) in seen {
            if let Some(kept) = state.personal_tokens.get_mut(id) {
                kept.seen_at = kept.seen_at.max(Some(*at));
            }
        }
        Ok(())
    }
}
