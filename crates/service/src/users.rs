//! Users: people who can sign in.

use std::sync::Arc;

use latchkey_domain::{
    AccountKind, Email, EventKind, Grants, NewUser, Password, PasswordHash, Permission, PermissionKind,
    PersonName, Place, ProjectId, Role, Snapshot, User, UserId, Username, authorize,
};
use latchkey_ports::{Entity, Page, PasswordChange, PasswordHasher, StoreError};

use crate::{
    Caller, Directory, InstancePermit, ManageUsers, Missing, RoleReference, ServiceError, UserChange,
    accounts::{Accounts, identity},
    whoami::held_in,
};

/// A user to be created.
#[derive(Debug, Clone)]
pub struct UserDraft {
    pub username: Option<Username>,
    pub email: Option<Email>,
    pub name: Option<PersonName>,
    pub root_role: RoleReference,
    /// The unchecked password; `None` = the user cannot sign in yet.
    pub password: Option<String>,
}

/// The number of administrators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AdminCount {
    pub with_password: u64,
    pub without_password: u64,
    pub services: u64,
}

/// A user's roles, and what they allow at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAccess {
    pub user: User,
    pub root_role: Role,
    /// The roles in the project that was asked for, by id.
    pub project_roles: Vec<Role>,
    grants: Grants,
    place: Place,
}

impl UserAccess {
    /// Whether the user holds the permission: one of the instance there, another in the project that was asked for.
    pub fn holds(&self, permission: Permission) -> bool {
        let place = match permission.kind() {
            PermissionKind::Root => &Place::Instance,
            PermissionKind::Project => &self.place,
        };
        authorize(&self.grants, &[permission], place).is_ok()
    }
}

/// The use cases of this module.
pub struct Users {
    accounts: Accounts,
    hasher: Arc<dyn PasswordHasher>,
}

impl Users {
    /// The minimum length of a search text, in characters.
    const MIN_SEARCHED: usize = 2;
    /// The maximum number of results of a search.
    const MAX_FOUND: u32 = 100;

    pub(crate) fn new(accounts: Accounts, hasher: Arc<dyn PasswordHasher>) -> Self {
        Self { accounts, hasher }
    }

    /// Returns the users on that page, by id, and the root roles.
    pub async fn list(&self, _: &InstancePermit<ManageUsers>, page: Page) -> Result<Directory, ServiceError> {
        self.accounts.directory(AccountKind::Person, page).await
    }

    /// Creates a user.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] without user name and e-mail address, for one in use, and for a role that is not a
    /// root role; [`ServiceError::WeakPassword`].
    pub async fn create(
        &self,
        permit: &InstancePermit<ManageUsers>,
        draft: UserDraft,
    ) -> Result<User, ServiceError> {
        let UserDraft { username, email, name, root_role, password } = draft;
        let identity = identity(username, email)?;
        let root_role = self.accounts.root_role(permit.caller(), &root_role).await?;
        let password = match password {
            Some(text) => Some(self.hash(&text, &identity.names()).await?),
            None => None,
        };
        let created_at = self.accounts.changes.now();
        let user = NewUser { identity, name, kind: AccountKind::Person, root_role, created_at };
        self.accounts.create(permit.caller(), user, password).await
    }

    /// Returns the user of this id.
    pub async fn get(&self, _: &InstancePermit<ManageUsers>, id: UserId) -> Result<User, ServiceError> {
        self.accounts.find(id, AccountKind::Person).await
    }

    /// Changes a user and returns the result.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] as in [`Users::create`]; [`ServiceError::NotPermitted`] for the demotion of the
    /// last Admin.
    pub async fn update(
        &self,
        permit: &InstancePermit<ManageUsers>,
        id: UserId,
        change: &UserChange,
    ) -> Result<User, ServiceError> {
        self.accounts.update(permit.caller(), (id, AccountKind::Person), change).await
    }

    /// Removes a user with all their tokens, sessions and roles.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] for the last Admin.
    pub async fn delete(&self, permit: &InstancePermit<ManageUsers>, id: UserId) -> Result<(), ServiceError> {
        self.accounts.delete(permit.caller(), (id, AccountKind::Person)).await
    }

    /// Sets a user's password and ends all their sessions.
    ///
    /// # Errors
    /// [`ServiceError::WeakPassword`].
    pub async fn set_password(
        &self,
        permit: &InstancePermit<ManageUsers>,
        id: UserId,
        password: &str,
    ) -> Result<(), ServiceError> {
        let user = self.accounts.find(id, AccountKind::Person).await?;
        self.store_password(permit.caller(), &user, None, password).await
    }

    /// Checks the rules for passwords that do not depend on the user.
    pub fn check_password(&self, _: &Caller, password: &str) -> Result<(), ServiceError> {
        Password::new(password, &[]).map(drop).map_err(ServiceError::WeakPassword)
    }

    /// Returns the users and service accounts whose name, user name or e-mail address contains this text; none for a
    /// text of fewer than two characters. Open to all callers of the administrative routes, because owners of projects
    /// choose members.
    pub async fn search(&self, _: &Caller, text: &str) -> Result<Vec<User>, ServiceError> {
        if text.chars().count() < Self::MIN_SEARCHED {
            return Ok(Vec::new());
        }
        Ok(self.accounts.users.search_users(text, Self::MAX_FOUND).await?)
    }

    /// Returns every user and service account, by id. Open to all callers, as [`Users::search`].
    pub async fn all_accounts(&self, _: &Caller) -> Result<Vec<User>, ServiceError> {
        let mut accounts = self.accounts.users.users(AccountKind::Person, Page::default()).await?;
        accounts.extend(self.accounts.users.users(AccountKind::Service, Page::default()).await?);
        accounts.sort_unstable_by_key(|user| user.id);
        Ok(accounts)
    }

    /// Returns the number of holders of the role Admin.
    pub async fn admin_count(
        &self,
        permit: &InstancePermit<ManageUsers>,
    ) -> Result<AdminCount, ServiceError> {
        let mut count = AdminCount::default();
        let accounts = self.all_accounts(permit.caller()).await?;
        for admin in accounts.iter().filter(|user| user.root_role == Role::ADMIN) {
            let counted = match admin.kind {
                AccountKind::Service => &mut count.services,
                AccountKind::Person if self.has_password(admin.id).await? => &mut count.with_password,
                AccountKind::Person => &mut count.without_password,
            };
            *counted += 1;
        }
        Ok(count)
    }

    async fn has_password(&self, id: UserId) -> Result<bool, ServiceError> {
        let account = self.accounts.users.find_account(id).await?;
        Ok(account.is_some_and(|account| account.password.is_some()))
    }

    /// Returns the roles of a user, and what they allow for the instance and, if one is named, in a project.
    pub async fn access_of(
        &self,
        _: &InstancePermit<ManageUsers>,
        id: UserId,
        project: Option<ProjectId>,
    ) -> Result<UserAccess, ServiceError> {
        let user = self.accounts.find(id, AccountKind::Person).await?;
        let access = &*self.accounts.access;
        let root_role = access.find_role(user.root_role).await?.ok_or(Missing::Role)?;
        let grants = access.grants_of(id).await?.ok_or(Missing::User)?;
        let (project_roles, place) = match project {
            Some(project) => (held_in(access, id, &project).await?, Place::Project(project)),
            None => (Vec::new(), Place::Instance),
        };
        Ok(UserAccess { user, root_role, project_roles, grants, place })
    }

    /// Returns the user or service account of this user name or e-mail address, for the command line.
    pub async fn find_by_login(
        &self,
        _: &InstancePermit<ManageUsers>,
        login: &str,
    ) -> Result<User, ServiceError> {
        let found = self.accounts.users.find_account_by_login(login).await?;
        Ok(found.ok_or(Missing::User)?.user)
    }

    /// Sets a password; with `before`, only if that is still the stored hash.
    pub(crate) async fn store_password(
        &self,
        caller: &Caller,
        user: &User,
        before: Option<PasswordHash>,
        password: &str,
    ) -> Result<(), ServiceError> {
        let after = self.hash(password, &user.identity.names()).await?;
        let event = self.accounts.changes.event(EventKind::PasswordChanged, &caller.initiator());
        let event = event.with_after(Snapshot::of_user_alone(user));
        let change = PasswordChange { user: user.id, before, after };
        self.accounts.users.set_password(&change, &event).await.map_err(replaced_password)?;
        self.accounts.changes.after_commit(&event);
        Ok(())
    }

    async fn hash(&self, password: &str, names: &[&str]) -> Result<PasswordHash, ServiceError> {
        let password = Password::new(password, names).map_err(ServiceError::WeakPassword)?;
        Ok(self.hasher.hash(&password).await?)
    }
}

/// A password that was replaced while it was checked counts as a wrong one.
fn replaced_password(error: StoreError) -> ServiceError {
    match error {
        StoreError::Stale(Entity::User(_)) => ServiceError::WrongPassword,
        other => other.into(),
    }
}
