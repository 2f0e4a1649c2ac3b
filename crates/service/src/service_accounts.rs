//! Service accounts: users for programs. They cannot sign in; they use tokens that an administrator issues.

use latchkey_domain::{
    AccountKind, NewUser, PersonName, PersonalToken, PersonalTokenId, User, UserId, Username,
};
use latchkey_ports::Page;

use crate::{
    Directory, InstancePermit, IssuedPersonalToken, ManageServiceAccounts, PersonalTokenDraft,
    PersonalTokens, RoleReference, ServiceError, UserChange,
    accounts::{Accounts, identity},
};

/// A service account to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccountDraft {
    pub username: Username,
    pub name: Option<PersonName>,
    pub root_role: RoleReference,
}

/// The use cases of this module.
pub struct ServiceAccounts {
    accounts: Accounts,
    tokens: PersonalTokens,
}

type Managing = InstancePermit<ManageServiceAccounts>;

impl ServiceAccounts {
    pub(crate) fn new(accounts: Accounts, tokens: PersonalTokens) -> Self {
        Self { accounts, tokens }
    }

    /// Returns the service accounts on that page, their tokens, and the root roles, each by id.
    pub async fn list(
        &self,
        _: &Managing,
        page: Page,
    ) -> Result<(Directory, Vec<PersonalToken>), ServiceError> {
        let directory = self.accounts.directory(AccountKind::Service, page).await?;
        let ids: Vec<_> = directory.users.iter().map(|user| user.id).collect();
        let tokens = if ids.is_empty() { Vec::new() } else { self.tokens.of(&ids).await? };
        Ok((directory, tokens))
    }

    /// Creates a service account.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a user name in use, and for a role that is not a root role.
    pub async fn create(&self, permit: &Managing, draft: ServiceAccountDraft) -> Result<User, ServiceError> {
        let ServiceAccountDraft { username, name, root_role } = draft;
        let identity = identity(Some(username), None)?;
        let root_role = self.accounts.root_role(permit.caller(), &root_role).await?;
        let created_at = self.accounts.changes.now();
        let user = NewUser { identity, name, kind: AccountKind::Service, root_role, created_at };
        self.accounts.create(permit.caller(), user, None).await
    }

    /// Returns the service account of this id.
    pub async fn get(&self, _: &Managing, id: UserId) -> Result<User, ServiceError> {
        self.accounts.find(id, AccountKind::Service).await
    }

    /// Changes a service account and returns the result. Its user name cannot be changed.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] as in [`ServiceAccounts::create`].
    pub async fn update(
        &self,
        permit: &Managing,
        id: UserId,
        name: Option<PersonName>,
        root_role: Option<RoleReference>,
    ) -> Result<User, ServiceError> {
        let change = UserChange { name, email: None, root_role };
        self.accounts.update(permit.caller(), (id, AccountKind::Service), &change).await
    }

    /// Removes a service account with all its tokens and roles.
    pub async fn delete(&self, permit: &Managing, id: UserId) -> Result<(), ServiceError> {
        self.accounts.delete(permit.caller(), (id, AccountKind::Service)).await
    }

    /// Returns the tokens of a service account, also expired ones, by id.
    pub async fn tokens(&self, _: &Managing, id: UserId) -> Result<Vec<PersonalToken>, ServiceError> {
        let account = self.accounts.find(id, AccountKind::Service).await?;
        self.tokens.of(&[account.id]).await
    }

    /// Issues a token to a service account and returns its secret.
    ///
    /// # Errors
    /// As [`PersonalTokens::create`].
    pub async fn create_token(
        &self,
        permit: &Managing,
        id: UserId,
        draft: PersonalTokenDraft,
    ) -> Result<IssuedPersonalToken, ServiceError> {
        let account = self.accounts.find(id, AccountKind::Service).await?;
        self.tokens.issue(account.id, draft, &permit.initiator()).await
    }

    /// Revokes a token of a service account.
    pub async fn delete_token(
        &self,
        permit: &Managing,
        id: UserId,
        token: PersonalTokenId,
    ) -> Result<(), ServiceError> {
        let account = self.accounts.find(id, AccountKind::Service).await?;
        self.tokens.revoke(account.id, token, &permit.initiator()).await
    }
}
