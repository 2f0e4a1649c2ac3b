//! Personal access tokens: a user's own, acting with the user's permissions of the moment.

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

/// A personal access token that is to be; the store gives the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPersonalToken {
    /// Whose it is.
    pub user: UserId,
    /// What it is for; unique among the user's.
    pub description: Description,
    /// From this moment on it is refused.
    pub expires_at: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A personal access token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalToken {
    /// The id.
    pub id: PersonalTokenId,
    /// Whose it is.
    pub user: UserId,
    /// What it is for; unique among the user's.
    pub description: Description,
    /// From this moment on it is refused.
    pub expires_at: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last authenticated, as far as written; `None` = never.
    pub last_used_at: Option<Timestamp>,
}

impl NewPersonalToken {
    /// The token under the id that the store gave.
    #[must_use]
    pub fn with_id(self, id: PersonalTokenId) -> PersonalToken {
        let Self { user, description, expires_at, created_at } = self;
        PersonalToken { id, user, description, expires_at, created_at, last_used_at: None }
    }
}

impl PersonalToken {
    /// Whether the token is refused at that moment for its age.
    #[must_use]
    pub fn is_expired_at(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }
}
