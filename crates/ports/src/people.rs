//! Where users, their passwords and their personal access tokens are kept.

use async_trait::async_trait;
use latchkey_domain::{
    AccountKind, EventId, Grants, NewEvent, NewPersonalToken, NewUser, PasswordHash, PersonalToken,
    PersonalTokenId, Timestamp, User, UserId,
};

use crate::{Page, SecretDigest, SecretRecord, StoreError};

/// A user with what is kept of the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: User,
    /// What is kept of the password; `None` = nobody can sign in.
    pub password: Option<PasswordHash>,
}

/// The users, people and service accounts.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait UserRepository: Send + Sync {
    /// Keeps a new user under an id of the store's choice, with its event (to which the store adds that id, by
    /// [`NewEvent::with_assigned_id`]).
    ///
    /// # Errors
    /// `NotFound` for an unknown root role, and for one that is held in projects; `Conflict` where the user name
    /// (case matters) or the e-mail address (it does not) is taken; `Unavailable`.
    async fn create_user(
        &self,
        user: &NewUser,
        password: Option<PasswordHash>,
        event: &NewEvent,
    ) -> Result<(UserId, EventId), StoreError>;

    /// The user of this id.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The account of this id.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_account(&self, id: UserId) -> Result<Option<Account>, StoreError>;

    /// The account of this user name or, in any case of letters, e-mail address; a user name is preferred.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_account_by_login(&self, login: &str) -> Result<Option<Account>, StoreError>;

    /// The users of this kind, by id.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn users(&self, kind: AccountKind, page: Page) -> Result<Vec<User>, StoreError>;

    /// The users, of either kind, whose name, user name or e-mail address contains this text in any case of letters
    /// (of ASCII; of others, where the store can), by id; at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn search_users(&self, text: &str, limit: u32) -> Result<Vec<User>, StoreError>;

    /// Puts identity, name and root role of `after` in the place of those of `before`, which has the same id and kind,
    /// with the event.
    ///
    /// # Errors
    /// `NotFound` for the user, then for the root role as in [`UserRepository::create_user`]; `Stale` where identity,
    /// name or root role kept are not those of `before` any more; `LastAdmin` where nobody would be left who
    /// is an Admin and a person (see [`UserRepository::delete_user`]); `Conflict` as in `create_user`; `Unavailable`;
    /// `Inconsistent`.
    async fn update_user(&self, before: &User, after: &User, event: &NewEvent)
    -> Result<EventId, StoreError>;

    /// Removes a user with memberships, personal tokens and sessions, with its event.
    ///
    /// # Errors
    /// `NotFound`; `LastAdmin` for the last person whose root role is [`latchkey_domain::Role::ADMIN`]: of any number of
    /// removals and demotions at once, one of those people stays; `Unavailable`.
    async fn delete_user(&self, id: UserId, event: &NewEvent) -> Result<EventId, StoreError>;

    /// Sets a person's password and ends all their sessions, with the event.
    ///
    /// # Errors
    /// `NotFound` for an unknown user, and for a service account; `Stale` where the password is not that of `before` any
    /// more; `Unavailable`.
    async fn set_password(&self, change: &PasswordChange, event: &NewEvent) -> Result<EventId, StoreError>;

    /// Puts another hash of the same password in the place of `before`. The password stays what it is, so no session ends
    /// and there is no event.
    ///
    /// # Errors
    /// `Stale` where the hash is not `before` any more, and for an unknown user; `Unavailable`.
    async fn upgrade_password_hash(
        &self,
        user: UserId,
        before: &PasswordHash,
        after: &PasswordHash,
    ) -> Result<(), StoreError>;
}

/// A new password for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordChange {
    /// Whose.
    pub user: UserId,
    /// The one that it takes the place of; `None` where it takes the place of any, and of none.
    pub before: Option<PasswordHash>,
    /// The new one.
    pub after: PasswordHash,
}

/// A personal access token with its user and what the user may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalTokenHolder {
    /// The token.
    pub token: PersonalToken,
    /// Its user.
    pub user: User,
    /// All that the user may do.
    pub grants: Grants,
    /// By which of the digests that were asked for it was found.
    pub found_by: SecretDigest,
}

/// The personal access tokens, of people and service accounts.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PersonalTokenRepository: Send + Sync {
    /// Keeps a new personal token under an id of the store's choice, with its event (to which the store adds that
    /// id, by [`NewEvent::with_assigned_id`]). Of the secret, the record's digest is kept and nothing else. Of any number
    /// of creations at once, no more succeed than `most` for one user.
    ///
    /// # Errors
    /// `NotFound` for an unknown user; `LimitReached` where the user has `most` (expired ones count); `Conflict` where the
    /// user has one of this description, or the digest is there already; `Unavailable`.
    async fn create_personal_token(
        &self,
        token: &NewPersonalToken,
        secret: &SecretRecord,
        most: u32,
        event: &NewEvent,
    ) -> Result<(PersonalTokenId, EventId), StoreError>;

    /// The personal token of one of these digests with its user and the user's grants of the moment, expired or
    /// not.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_personal_token_by_digest(
        &self,
        digests: &[SecretDigest],
    ) -> Result<Option<PersonalTokenHolder>, StoreError>;

    /// The personal tokens of these users, expired ones too, by id.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn personal_tokens_of(&self, users: &[UserId]) -> Result<Vec<PersonalToken>, StoreError>;

    /// Removes a personal token of a user, with its event.
    ///
    /// # Errors
    /// `NotFound` where the user has no such token (any more): of any number of calls at once, one succeeds;
    /// `Unavailable`.
    async fn delete_personal_token(
        &self,
        user: UserId,
        id: PersonalTokenId,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Notes when personal tokens last authenticated; as [`crate::TokenRepository::record_token_use`].
    ///
    /// # Errors
    /// `Unavailable`.
    async fn record_personal_token_use(
        &self,
        seen: &[(PersonalTokenId, Timestamp)],
    ) -> Result<(), StoreError>;
}
