//! Whether a token is good, as lists show it, filter by it and order by it.

use std::time::Duration;

use crate::{ApiToken, Timestamp};

named_enum! {
    /// Whether a token is good; what needs attention first comes first.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum TokenStatus {
        /// It was disabled, whatever its end. Verification refuses it for that first, so it is shown first.
        Disabled = "disabled",
        Expired = "expired",
        /// It ends within [`TokenStatus::SOON`].
        Expiring = "expiring",
        Active = "active",
    } else UnknownTokenStatus: |_: &str| UnknownTokenStatus
}

/// The text is not the name of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token's status must be disabled, expired, expiring or active")]
pub struct UnknownTokenStatus;

impl TokenStatus {
    /// How long before its end a token counts as expiring.
    pub const SOON: Duration = Duration::from_secs(14 * 86_400);

    /// Returns the status of a token at that moment.
    pub fn of(token: &ApiToken, now: Timestamp) -> Self {
        if !token.attributes.enabled.is_on() {
            Self::Disabled
        } else if token.is_expired_at(now) {
            Self::Expired
        } else if token.is_expired_at(Self::soon(now)) {
            Self::Expiring
        } else {
            Self::Active
        }
    }

    /// Returns the moment until which a token must end to count as expiring now.
    pub fn soon(now: Timestamp) -> Timestamp {
        now.plus(Self::SOON).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Enabled, testing::api_token};

    #[test]
    fn a_token_has_the_first_status_that_fits() {
        let now = Timestamp::from_millis(1_700_000_000_000).expect("in range");
        let at = |millis: i64| Timestamp::from_millis(now.millis() + millis).expect("in range");
        let soon = i64::try_from(TokenStatus::SOON.as_millis()).expect("small");
        for (end, expected) in [
            (None, TokenStatus::Active),
            (Some(at(soon + 1)), TokenStatus::Active),
            (Some(at(soon)), TokenStatus::Expiring),
            (Some(at(1)), TokenStatus::Expiring),
            (Some(at(0)), TokenStatus::Expired),
            (Some(at(-1)), TokenStatus::Expired),
        ] {
            let mut token = api_token(now);
            token.expires_at = end;
            assert_eq!(TokenStatus::of(&token, now), expected, "{end:?}");
            token.attributes.enabled = Enabled(false);
            assert_eq!(TokenStatus::of(&token, now), TokenStatus::Disabled, "{end:?}");
        }
    }

    #[test]
    fn each_status_is_read_by_its_name() {
        for status in TokenStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
        }
        assert_eq!("Active".parse::<TokenStatus>(), Err(UnknownTokenStatus));
    }
}
