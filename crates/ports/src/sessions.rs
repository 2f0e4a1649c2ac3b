//! Where sessions are kept, and how often signing in failed.

use std::net::IpAddr;

use async_trait::async_trait;
use latchkey_domain::{
    EventId, Grants, LoginFailures, NewEvent, PasswordHash, Session, SessionId, Timestamp, User, UserId,
};

use crate::{SecretDigest, SecretRecord, StoreError};

/// A session with its user and what the user may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionHolder {
    /// The session.
    pub session: Session,
    /// Its user.
    pub user: User,
    /// All that the user may do.
    pub grants: Grants,
    /// By which of the digests that were asked for it was found.
    pub found_by: SecretDigest,
}

/// A session that is to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionStart {
    /// The session.
    pub session: Session,
    /// What is kept of its secret; the digest alone.
    pub secret: SecretRecord,
    /// The password that its user had when it was checked.
    pub password: Option<PasswordHash>,
    /// How many sessions the user may have, this one included.
    pub max_per_user: u32,
}

/// The sessions.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SessionRepository: Send + Sync {
    /// Keeps a new session, with its event, and notes that its user was seen when it began. Of the user's other sessions
    /// the newest stay, so that there are `max_per_user` with this one; says how many went.
    ///
    /// # Errors
    /// `NotFound` for an unknown user, and for a service account; `Stale` with the user, where their password is another
    /// by now; `Conflict` for a digest or id that is there already; `Unavailable`.
    async fn start_session(&self, start: &SessionStart, event: &NewEvent) -> Result<u64, StoreError>;

    /// The session of one of these digests with its user and the user's grants of the moment, expired or not.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_session_by_digest(
        &self,
        digests: &[SecretDigest],
    ) -> Result<Option<SessionHolder>, StoreError>;

    /// The sessions of a user, oldest first, expired ones too.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError>;

    /// Ends a session of a user, with the event.
    ///
    /// # Errors
    /// `NotFound` where the user has no such session (any more); `Unavailable`.
    async fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Forgets what has ended before that moment and can never be used again: sessions, secrets retired by a
    /// rotation, failures to sign in. Leaves no event; says how many went.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError>;
}

/// What failures to sign in are counted for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LoginKey {
    /// An account, by the lower-case name that was given, whether there is such an account or not; at most 255
    /// characters of it.
    Account(String),
    /// An address of the network; of IPv6, the first address of its /64, which is what one customer has.
    Address(IpAddr),
    /// An account, named as in [`LoginKey::Account`], tried from one address, as in [`LoginKey::Address`].
    AccountFrom(String, IpAddr),
}

/// How often signing in failed. No user's doing, so nothing here leaves an event.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait LoginFailureRepository: Send + Sync {
    /// The failures of each of these, in the same order.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn login_failures(&self, keys: &[LoginKey]) -> Result<Vec<Option<LoginFailures>>, StoreError>;

    /// Notes one more failure for each of these, by [`LoginFailures::and_another`]. Of any number of calls at once,
    /// none is lost.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn record_login_failure(&self, keys: &[LoginKey], now: Timestamp) -> Result<(), StoreError>;

    /// Forgets the failures of these.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn forget_login_failures(&self, keys: &[LoginKey]) -> Result<(), StoreError>;
}
