//! Where users, roles, memberships and personal access tokens are kept.

use async_trait::async_trait;
use latchkey_domain::{
    EventId, Grants, NewEvent, NewPersonalToken, NewUser, PersonalToken, PersonalTokenId, ProjectId, Role,
    RoleId, Timestamp, User, UserId,
};

use crate::{SecretDigest, SecretRecord, StoreError};

/// The users.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait UserRepository: Send + Sync {
    /// Keeps a new user under an id of the store's choice, with its event (to which the store adds that id, by
    /// [`NewEvent::with_assigned_id`]).
    ///
    /// # Errors
    /// `NotFound` for an unknown root role, and for one that is held in projects; `Conflict` where the user name
    /// (case matters) or the e-mail address (it does not) is taken; `Unavailable`.
    async fn create_user(&self, user: &NewUser, event: &NewEvent) -> Result<(UserId, EventId), StoreError>;

    /// The user of this id.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The user of this user name or, in any case of letters, e-mail address; a user name is preferred.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_user_by_login(&self, login: &str) -> Result<Option<User>, StoreError>;
}

/// The roles, and who holds which.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait AccessRepository: Send + Sync {
    /// Every role, by id.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn roles(&self) -> Result<Vec<Role>, StoreError>;

    /// Gives a user a role in a project, with the event.
    ///
    /// # Errors
    /// `NotFound` for an unknown user, project or role (in this order), and for a root role; `Conflict` where the
    /// user holds it there already; `Unavailable`.
    async fn add_membership(
        &self,
        user: UserId,
        project: &ProjectId,
        role: RoleId,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// All that a user may do, by the root role and the roles in projects; `None` for an unknown user.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn grants_of(&self, user: UserId) -> Result<Option<Grants>, StoreError>;
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
}

/// The personal access tokens.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PersonalTokenRepository: Send + Sync {
    /// Keeps a new personal token under an id of the store's choice, with its event (to which the store adds that
    /// id, by [`NewEvent::with_assigned_id`]). Of the secret, the record's digest is kept and nothing else.
    ///
    /// # Errors
    /// `NotFound` for an unknown user; `Conflict` where the user has one of this description, or the digest is there
    /// already; `Unavailable`.
    async fn create_personal_token(
        &self,
        token: &NewPersonalToken,
        secret: &SecretRecord,
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

    /// Notes when personal tokens last authenticated; as [`crate::TokenRepository::record_tokens_seen`].
    ///
    /// # Errors
    /// `Unavailable`.
    async fn record_personal_tokens_seen(
        &self,
        seen: &[(PersonalTokenId, Timestamp)],
    ) -> Result<(), StoreError>;
}
