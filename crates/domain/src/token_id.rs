//! The ids of API tokens.

use std::fmt;

use uuid::Uuid;

use crate::Timestamp;

/// The id of an API token: a UUID of version 7 (RFC 9562, section 5.7) whose time is the token's creation.
///
/// Its order is therefore the order of lists, "by creation, then id", and one index serves both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(Uuid);

impl TokenId {
    /// Returns a new id for a token created at that moment (a moment before 1970 counts as 1970).
    pub fn new(created_at: Timestamp, entropy: [u8; 10]) -> Self {
        let millis = u64::try_from(created_at.millis()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &entropy).into_uuid())
    }

    /// Returns the id of a stored UUID.
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Returns the UUID.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }

    /// Returns the time of creation in the id, in milliseconds since 1970; 0 for an id of another version.
    pub fn created_at_millis(self) -> i64 {
        let moment = self.0.get_timestamp().map(|moment| moment.to_unix());
        let millis =
            moment.map(|(seconds, nanos)| seconds.saturating_mul(1_000) + u64::from(nanos / 1_000_000));
        millis.and_then(|millis| i64::try_from(millis).ok()).unwrap_or(0)
    }

    /// Parses an id in lower or upper case, with hyphens. Returns `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten().map(Self)
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).expect("in range")
    }

    #[test]
    fn ids_sort_by_creation_and_then_by_chance() {
        let first = TokenId::new(at(1_000), [0xff; 10]);
        let second = TokenId::new(at(1_001), [0; 10]);
        let third = TokenId::new(at(1_001), [1; 10]);
        assert!(first < second && second < third);
        assert!(first.to_string() < second.to_string() && second.to_string() < third.to_string());
        assert_eq!(first.as_uuid().get_version_num(), 7);
        assert_eq!((first.created_at_millis(), second.created_at_millis()), (1_000, 1_001));
        assert_eq!(TokenId::parse(&first.to_string()), Some(first));
        assert_eq!(TokenId::parse(&first.as_uuid().simple().to_string()), None);
        assert_eq!(TokenId::parse("*:*.secret"), None);
    }
}
