//! The repositories of users, their passwords and their personal access tokens.

use async_trait::async_trait;
use latchkey_domain::{
    AccountKind, EventId, Grants, NewEvent, NewPersonalToken, NewUser, PasswordHash, PersonalToken,
    PersonalTokenId, Timestamp, User, UserId,
};
use latchkey_port_macros::observed;

use crate::{Page, SecretDigest, SecretRecord, StoreError};

/// A user with the hash of the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub user: User,
    /// `None` = the user cannot sign in.
    pub password: Option<PasswordHash>,
}

/// The users: people and service accounts.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait UserRepository: Send + Sync {
    /// Creates a user under an id that the store assigns, with its event (to which the store adds that id, by
    /// [`NewEvent::with_assigned_id`]).
    ///
    /// # Errors
    /// `NotFound` for an unknown root role, and for one that is held in projects; `Conflict` if the user name (case
    /// matters) or the e-mail address (case does not matter) is taken.
    async fn create_user(
        &self,
        user: &NewUser,
        password: Option<PasswordHash>,
        event: &NewEvent,
    ) -> Result<(UserId, EventId), StoreError>;

    /// Returns the user of this id.
    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// Returns the account of this id.
    async fn find_account(&self, id: UserId) -> Result<Option<Account>, StoreError>;

    /// Returns the account of this user name or, ignoring case, e-mail address; a user name takes precedence.
    async fn find_account_by_login(&self, login: &str) -> Result<Option<Account>, StoreError>;

    /// Returns the users of this kind, by id.
    async fn users(&self, kind: AccountKind, page: Page) -> Result<Vec<User>, StoreError>;

    /// Returns at most `limit` users, of either kind, whose name, user name or e-mail address contains this text, by
    /// id. The case of ASCII letters is ignored; that of others, if the store can.
    async fn search_users(&self, text: &str, limit: u32) -> Result<Vec<User>, StoreError>;

    /// Replaces identity, name and root role of `before` with those of `after`, which has the same id and kind, with
    /// the event.
    ///
    /// # Errors
    /// `NotFound` for the user, then for the root role as in [`UserRepository::create_user`]; `Stale` if the stored
    /// identity, name or root role is not that of `before`; `LastAdmin` if no person with the role Admin would be
    /// left (see [`UserRepository::delete_user`]); `Conflict` as in `create_user`.
    async fn update_user(&self, before: &User, after: &User, event: &NewEvent)
    -> Result<EventId, StoreError>;

    /// Removes a user with memberships, also those of groups, personal tokens and sessions, with its event.
    ///
    /// # Errors
    /// `NotFound`; `LastAdmin` for the last person with the root role [`latchkey_domain::Role::ADMIN`]: of any
    /// number of concurrent removals and demotions, one such person stays.
    async fn delete_user(&self, id: UserId, event: &NewEvent) -> Result<EventId, StoreError>;

    /// Sets a person's password and ends all their sessions, with the event.
    ///
    /// # Errors
    /// `NotFound` for an unknown user, and for a service account; `Stale` if the stored hash is not `before`.
    async fn set_password(&self, change: &PasswordChange, event: &NewEvent) -> Result<EventId, StoreError>;

    /// Replaces the hash `before` with another hash of the same password. The password does not change, so no session
    /// ends and there is no event.
    ///
    /// # Errors
    /// `Stale` if the stored hash is not `before`, and for an unknown user.
    async fn upgrade_password_hash(
        &self,
        user: UserId,
        before: &PasswordHash,
        after: &PasswordHash,
    ) -> Result<(), StoreError>;
}

/// A new password for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordChange {
    pub user: UserId,
    /// The hash that it replaces; `None` = any, or none.
    pub before: Option<PasswordHash>,
    pub after: PasswordHash,
}

/// A personal access token with its user and the user's grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalTokenHolder {
    pub token: PersonalToken,
    pub user: User,
    pub grants: Grants,
    pub found_by: SecretDigest,
}

/// The personal access tokens, of people and service accounts.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PersonalTokenRepository: Send + Sync {
    /// Creates a personal token under an id that the store assigns, with its event (to which the store adds that id, by
    /// [`NewEvent::with_assigned_id`]). Of the secret, only the digest is stored. Of any number of concurrent
    /// creations, no more than `limit` succeed for one user.
    ///
    /// # Errors
    /// `NotFound` for an unknown user; `LimitReached` if the user has `limit` (expired ones count); `Conflict` if
    /// the user has one of this description, or the digest exists already.
    async fn create_personal_token(
        &self,
        token: &NewPersonalToken,
        secret: &SecretRecord,
        limit: u32,
        event: &NewEvent,
    ) -> Result<(PersonalTokenId, EventId), StoreError>;

    /// Returns the personal token of one of these digests, expired or not, with its user and the user's present grants.
    async fn find_personal_token_by_digest(
        &self,
        digests: &[SecretDigest],
    ) -> Result<Option<PersonalTokenHolder>, StoreError>;

    /// Returns the personal tokens of these users, also expired ones, by id.
    async fn personal_tokens_of(&self, users: &[UserId]) -> Result<Vec<PersonalToken>, StoreError>;

    /// Removes a personal token of a user, with its event.
    ///
    /// # Errors
    /// `NotFound` if the user has no such token; of any number of concurrent calls, one succeeds.
    async fn delete_personal_token(
        &self,
        user: UserId,
        id: PersonalTokenId,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Records when personal tokens were last used; as [`crate::TokenRepository::record_token_use`].
    async fn record_personal_token_use(
        &self,
        seen: &[(PersonalTokenId, Timestamp)],
    ) -> Result<(), StoreError>;
}
