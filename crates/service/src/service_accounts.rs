//! Service accounts: users that are programs. They cannot sign in; they act by tokens that an administrator issues.

use latchkey_domain::{
    AccountKind, NewUser, PersonName, PersonalToken, PersonalTokenId, User, UserId, Username,
};
use latchkey_ports::Page;

use crate::{
    Directory, InstancePermit, IssuedPersonalToken, ManageServiceAccounts, PersonalTokenDraft,
    PersonalTokens, RoleReference, ServiceError, UserChange,
    accounts::{Accounts, identity},
};

/// A service account to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccountDraft {
    /// What it is known by.
    pub username: Username,
    /// What it is called.
    pub name: Option<PersonName>,
    /// The role held for the whole instance.
    pub root_role: RoleReference,
}

/// The use cases.
pub struct ServiceAccounts {
    accounts: Accounts,
    tokens: PersonalTokens,
}

type Managing = InstancePermit<ManageServiceAccounts>;

impl ServiceAccounts {
    pub(crate) fn new(accounts: Accounts, tokens: PersonalTokens) -> Self {
        Self { accounts, tokens }
    }

    /// The service accounts on that page, by id, their tokens, by id, and the root roles.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`].
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

    /// Makes a service account.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a user name in use, and for a role that is no root role; [`ServiceError::Unavailable`].
    pub async fn create(&self, permit: &Managing, draft: ServiceAccountDraft) -> Result<User, ServiceError> {
        let ServiceAccountDraft { username, name, root_role } = draft;
        let identity = identity(Some(username), None)?;
        let root_role = self.accounts.root_role(permit.caller(), &root_role).await?;
        let created_at = self.accounts.changes.now();
        let user = NewUser { identity, name, kind: AccountKind::Service, root_role, created_at };
        self.accounts.create(permit.caller(), user, None).await
    }

    /// Changes a service account and gives back what it is then. Its user name stays.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; [`ServiceError::Invalid`] as in [`ServiceAccounts::create`]; [`ServiceError::Unavailable`].
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
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; [`ServiceError::Unavailable`].
    pub async fn delete(&self, permit: &Managing, id: UserId) -> Result<(), ServiceError> {
        self.accounts.delete(permit.caller(), (id, AccountKind::Service)).await
    }

    /// The tokens of a service account, expired ones too, by id.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; [`ServiceError::Unavailable`].
    pub async fn tokens(&self, _: &Managing, id: UserId) -> Result<Vec<PersonalToken>, ServiceError> {
        let account = self.accounts.find(id, AccountKind::Service).await?;
        self.tokens.of(&[account.id]).await
    }

    /// Issues a token to a service account and shows its secret, this once.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; else as [`PersonalTokens::create`].
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
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; [`ServiceError::Unavailable`].
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
