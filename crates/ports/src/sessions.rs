//! The repositories of sessions and of failed logins.

use std::net::IpAddr;

use async_trait::async_trait;
use latchkey_domain::{
    EventId, Grants, LoginFailures, NewEvent, PasswordHash, Session, SessionId, Timestamp, User, UserId,
};
use latchkey_port_macros::observed;

use crate::{SecretDigest, SecretRecord, StoreError};

/// A session with its user and the user's grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionHolder {
    pub session: Session,
    pub user: User,
    pub grants: Grants,
    pub found_by: SecretDigest,
}

/// A session to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionStart {
    pub session: Session,
    /// The record of its secret: the digest alone.
    pub secret: SecretRecord,
    /// The hash that the password was checked against, for compare-and-swap.
    pub password: Option<PasswordHash>,
    /// The maximum number of sessions of the user, this one included.
    pub max_per_user: u32,
}

/// The sessions.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SessionRepository: Send + Sync {
    /// Starts a session, with its event, and records its start as the last login of its user. The oldest of the user's
    /// other sessions are removed, so that there are at most `max_per_user` with this one; returns how many were
    /// removed.
    ///
    /// # Errors
    /// `NotFound` for an unknown user, and for a service account; `Stale` with the user if the stored hash is not
    /// `password`; `Conflict` for a digest or id that exists already.
    async fn start_session(&self, start: &SessionStart, event: &NewEvent) -> Result<u64, StoreError>;

    /// Returns the session of one of these digests, expired or not, with its user and the user's present grants.
    async fn find_session_by_digest(
        &self,
        digests: &[SecretDigest],
    ) -> Result<Option<SessionHolder>, StoreError>;

    /// Returns the sessions of a user, oldest first, also expired ones.
    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError>;

    /// Ends a session of a user, with the event.
    ///
    /// # Errors
    /// `NotFound` if the user has no such session.
    async fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Deletes what has expired before that moment: sessions, secrets retired by a rotation, failed logins. Leaves no
    /// event; returns the number of deleted entries.
    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError>;
}

/// The subject that failed logins are counted for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LoginKey {
    /// An account, by the first 255 characters of the lower-case login name that was given, whether it exists or not.
    Account(String),
    /// A client's address; of IPv6, the first address of its /64, which is what one customer has.
    Address(IpAddr),
    /// An account, as in [`LoginKey::Account`], from one address, as in [`LoginKey::Address`].
    AccountFrom(String, IpAddr),
}

/// The failed logins. They are not changes by a user, so nothing here leaves an event.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait LoginFailureRepository: Send + Sync {
    /// Returns the failures of each of these, in the same order.
    async fn login_failures(&self, keys: &[LoginKey]) -> Result<Vec<Option<LoginFailures>>, StoreError>;

    /// Records one more failure for each of these, by [`LoginFailures::and_another`]. Of any number of concurrent
    /// calls, none is lost.
    async fn record_login_failure(&self, keys: &[LoginKey], now: Timestamp) -> Result<(), StoreError>;

    /// Deletes the failures of these.
    async fn forget_login_failures(&self, keys: &[LoginKey]) -> Result<(), StoreError>;
}
