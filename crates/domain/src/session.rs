//! Sessions: a user signs in with a password and authenticates with a cookie from then on.

use std::fmt;

use serde_json::json;
use uuid::Uuid;

use crate::{Origin, Snapshot, Timestamp, UserId};

/// The id of a session, as lists show it. It is not a secret; the cookie holds another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub Uuid);

impl SessionId {
    /// Parses an id with hyphens. Returns `None` for anything else.
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
    pub id: SessionId,
    pub user: UserId,
    pub created_at: Timestamp,
    /// When it expires; use does not prolong it.
    pub expires_at: Timestamp,
    pub origin: Origin,
}

impl From<&Session> for Snapshot {
    fn from(session: &Session) -> Self {
        Self::of(json!({
            "id": session.id.to_string(),
            "userId": session.user.0,
            "createdAt": session.created_at.to_string(),
            "expiresAt": session.expires_at.to_string(),
        }))
    }
}
