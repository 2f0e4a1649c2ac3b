//! Whether a token is good, as lists show it.

use latchkey_domain::{ApiToken, Timestamp};

use std::time::Duration;

/// How long before its end a token counts as expiring.
pub(crate) const SOON: Duration = Duration::from_secs(14 * 86_400);

/// Whether a token is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Active,
    /// It ends within [`SOON`].
    Expiring,
    Expired,
    Disabled,
}

impl State {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Active, Self::Expiring, Self::Expired, Self::Disabled];

    /// Returns the state of a token at that moment. What is disabled is refused first, so it is shown first.
    pub(crate) fn of(token: &ApiToken, now: Timestamp) -> Self {
        let soon = now.plus(SOON).unwrap_or(now);
        if !token.attributes.enabled.is_on() {
            Self::Disabled
        } else if token.is_expired_at(now) {
            Self::Expired
        } else if token.is_expired_at(soon) {
            Self::Expiring
        } else {
            Self::Active
        }
    }

    /// Returns its name in addresses.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Disabled => "disabled",
        }
    }

    /// Returns the state of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Returns the key of its name for people.
    pub(crate) fn key(self) -> String {
        format!("state-{}", self.as_str())
    }
}
