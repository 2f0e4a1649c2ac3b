//! The common part of users and service accounts: creating, changing and removing them.

use std::sync::Arc;

use latchkey_domain::{
    AccountKind, Email, EventKind, NewUser, PasswordHash, PersonName, Place, Role, RoleId, Snapshot, User,
    UserId, UserIdentity, Username, WithoutIdentity,
};
use latchkey_ports::{AccessRepository, Entity, GroupRepository, Page, StoreError, UserRepository};

use crate::{Caller, Fault as _, Missing, Rule, ServiceError, changes::Changes};

/// A reference to a role: its id, or its name in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleReference {
    Id(RoleId),
    Name(String),
}

/// A change to a user; `None` = unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserChange {
    pub name: Option<PersonName>,
    pub email: Option<Email>,
    pub root_role: Option<RoleReference>,
}

/// Accounts of one kind, with the roles that they can hold for the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// The accounts, by id.
    pub users: Vec<User>,
    /// The root roles, built in or not, by id.
    pub root_roles: Vec<Role>,
}

/// The event kinds for one kind of account.
struct Kinds {
    created: EventKind,
    updated: EventKind,
    deleted: EventKind,
}

fn kinds(kind: AccountKind) -> Kinds {
    match kind {
        AccountKind::Person => Kinds {
            created: EventKind::UserCreated,
            updated: EventKind::UserUpdated,
            deleted: EventKind::UserDeleted,
        },
        AccountKind::Service => Kinds {
            created: EventKind::ServiceAccountCreated,
            updated: EventKind::ServiceAccountUpdated,
            deleted: EventKind::ServiceAccountDeleted,
        },
    }
}

/// Creates, changes and removes accounts of either kind.
#[derive(Clone)]
pub(crate) struct Accounts {
    pub(crate) users: Arc<dyn UserRepository>,
    pub(crate) access: Arc<dyn AccessRepository>,
    pub(crate) groups: Arc<dyn GroupRepository>,
    pub(crate) changes: Changes,
}

impl Accounts {
    pub(crate) async fn create(
        &self,
        caller: &Caller,
        user: NewUser,
        password: Option<PasswordHash>,
    ) -> Result<User, ServiceError> {
        let event = self.changes.event(kinds(user.kind).created, &caller.initiator());
        let event = event.with_after(&user);
        let (id, _) = self.users.create_user(&user, password, &event).await.map_err(identity_taken)?;
        self.changes.after_commit(&event);
        Ok(user.with_id(id))
    }

    pub(crate) async fn directory(&self, kind: AccountKind, page: Page) -> Result<Directory, ServiceError> {
        let users = self.users.users(kind, page).await?;
        Ok(Directory { users, root_roles: self.root_roles().await? })
    }

    async fn root_roles(&self) -> Result<Vec<Role>, ServiceError> {
        let mut roles = self.access.roles().await?;
        roles.retain(|role| role.kind.is_root());
        Ok(roles)
    }

    /// Returns the account of this id and kind.
    pub(crate) async fn find(&self, id: UserId, kind: AccountKind) -> Result<User, ServiceError> {
        let found = self.users.find_user(id).await?.filter(|user| user.kind == kind);
        found.ok_or_else(|| Missing::User.into())
    }

    /// Changes an account and returns the result. A change without effect leaves no event.
    pub(crate) async fn update(
        &self,
        caller: &Caller,
        (id, kind): (UserId, AccountKind),
        change: &UserChange,
    ) -> Result<User, ServiceError> {
        let updated = self.changes.retry_on_conflict(async || -> Result<User, ServiceError> {
            let before = self.find(id, kind).await?;
            let after = self.changed(caller, &before, change).await?;
            if Snapshot::from(&after) == Snapshot::from(&before) {
                return Ok(after);
            }
            let event = self.changes.event(kinds(kind).updated, &caller.initiator());
            let event = event.with_before(&before).with_after(&after);
            self.users.update_user(&before, &after, &event).await.map_err(identity_taken)?;
            self.changes.after_commit(&event);
            Ok(after)
        });
        updated.await
    }

    async fn changed(
        &self,
        caller: &Caller,
        before: &User,
        change: &UserChange,
    ) -> Result<User, ServiceError> {
        let mut after = before.clone();
        if let Some(name) = &change.name {
            after.name = Some(name.clone());
        }
        if let Some(email) = &change.email {
            after.identity = before.identity.with_email(Some(email.clone())).map_err(nameless)?;
        }
        if let Some(role) = &change.root_role {
            after.root_role = self.root_role(caller, role).await?;
        }
        Ok(after)
    }

    pub(crate) async fn delete(
        &self,
        caller: &Caller,
        (id, kind): (UserId, AccountKind),
    ) -> Result<(), ServiceError> {
        let user = self.find(id, kind).await?;
        let event = self.changes.event(kinds(kind).deleted, &caller.initiator()).with_before(&user);
        self.users.delete_user(id, &event).await?;
        self.changes.after_commit(&event);
        Ok(())
    }

    /// Returns the root role that a request names, if the caller may assign it.
    pub(crate) async fn root_role(
        &self,
        caller: &Caller,
        reference: &RoleReference,
    ) -> Result<RoleId, ServiceError> {
        let roles = self.root_roles().await?;
        let role = choose(&roles, reference, "rootRole")?;
        caller.check_granting(role, &Place::Instance)?;
        Ok(role.id)
    }
}

/// Returns the referenced one of these roles.
///
/// # Errors
/// [`ServiceError::Invalid`] if there is none; its message lists the roles.
pub(crate) fn choose<'r>(
    roles: &'r [Role],
    reference: &RoleReference,
    field: &'static str,
) -> Result<&'r Role, ServiceError> {
    let is_meant = |role: &&Role| match reference {
        RoleReference::Id(id) => role.id == *id,
        RoleReference::Name(name) => role.name.as_str().to_lowercase() == name.to_lowercase(),
    };
    let found = roles.iter().find(is_meant);
    found.ok_or_else(|| {
        let shown = match reference {
            RoleReference::Id(id) => id.to_string(),
            RoleReference::Name(name) => format!("{name:?}"),
        };
        let known: Vec<_> =
            roles.iter().map(|role| format!("{} ({})", role.name.as_str(), role.id)).collect();
        let known = known.join(", ");
        let text = format!("There is no such role here: {shown}. Choose one of: {known}.");
        ServiceError::field(field, Rule::named("role-unknown").with("known", known).says(text))
    })
}

/// Maps the error of an identity without names.
pub(crate) fn nameless(error: WithoutIdentity) -> ServiceError {
    ServiceError::Invalid { field: None, message: error.rule().says(format!("{error}.")) }
}

/// A user name or address in use is a 400 and not a 409 here.
fn identity_taken(error: StoreError) -> ServiceError {
    match error {
        StoreError::Conflict(Entity::UserIdentity) => ServiceError::Invalid {
            field: None,
            message: Rule::named("identity-taken")
                .says("User already exists: this username or email is in use."),
        },
        other => other.into(),
    }
}

/// Returns the identity of these names.
pub(crate) fn identity(
    username: Option<Username>,
    email: Option<Email>,
) -> Result<UserIdentity, ServiceError> {
    UserIdentity::new(username, email).map_err(nameless)
}
