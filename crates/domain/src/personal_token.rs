//! Personal access tokens, which act with the present permissions of their user.

use std::fmt;

use crate::{Description, Timestamp, UserId};

/// The id of a personal access token, an integer on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonalTokenId(pub i64);

impl fmt::Display for PersonalTokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A personal access token to be created; the store assigns the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPersonalToken {
    pub user: UserId,
    /// Unique per user.
    pub description: Description,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
}

/// A personal access token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalToken {
    pub id: PersonalTokenId,
    pub user: UserId,
    /// Unique per user.
    pub description: Description,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    /// When it last authenticated, as far as that is stored; `None` = never.
    pub last_used_at: Option<Timestamp>,
}

impl NewPersonalToken {
    /// Returns the token with the id that the store assigned.
    pub fn with_id(self, id: PersonalTokenId) -> PersonalToken {
        let Self { user, description, expires_at, created_at } = self;
        PersonalToken { id, user, description, expires_at, created_at, last_used_at: None }
    }
}

impl PersonalToken {
    /// Whether the token has expired at that moment.
    pub fn is_expired_at(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }
}
