//! Sessions: a person who signed in with a password, and is known by a cookie from then on.

use std::fmt;

use uuid::Uuid;

use crate::{Origin, Timestamp, UserId};

/// The id of a session: what lists show and revocation takes. It is no secret, and not what the cookie holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub Uuid);

impl SessionId {
    /// Reads an id as lists show it: with hyphens. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten().map(Self)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A session, without the secret in its cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The id.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// When the user signed in.
    pub created_at: Timestamp,
    /// From this moment on it is refused; it is not prolonged by use.
    pub expires_at: Timestamp,
    /// From where the user signed in.
    pub origin: Origin,
}
