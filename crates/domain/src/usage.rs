//! How often tokens are used.

use std::str::FromStr;

use crate::{Reason, Timestamp, UnknownReason};

/// The milliseconds of an hour.
const MILLIS: i64 = 3_600_000;

/// An hour of UTC, counted from the first one of 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub u32);

impl Hour {
    /// Returns the hour of a moment. A moment before 1970, which no clock shows, is in the first hour.
    pub fn of(moment: Timestamp) -> Self {
        Self(u32::try_from(moment.millis().div_euclid(MILLIS)).unwrap_or_default())
    }

    /// Returns the moment at which it begins.
    pub fn start(self) -> Timestamp {
        Timestamp::saturating_from_millis(i64::from(self.0) * MILLIS)
    }
}

/// What became of one use of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UseOutcome {
    Verified,
    Refused(Reason),
}

impl UseOutcome {
    /// The name of [`UseOutcome::Verified`].
    const VERIFIED: &str = "verified";

    /// Returns the name in stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => Self::VERIFIED,
            Self::Refused(reason) => reason.as_str(),
        }
    }

    /// Whether the token was known to be good when it was used, whatever was required of it. Only such a use counts as its last.
    pub fn is_authentication(self) -> bool {
        !matches!(self, Self::Refused(Reason::Unknown | Reason::Expired | Reason::Disabled | Reason::Network))
    }
}

impl FromStr for UseOutcome {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, UnknownReason> {
        if text == Self::VERIFIED { Ok(Self::Verified) } else { text.parse().map(Self::Refused) }
    }
}

impl From<Option<Reason>> for UseOutcome {
    fn from(refused: Option<Reason>) -> Self {
        refused.map_or(Self::Verified, Self::Refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_begins_at_its_start() {
        let moment = |millis| Timestamp::from_millis(millis).expect("in range");
        for (millis, hour) in [(0, 0), (3_599_999, 0), (3_600_000, 1), (-1, 0), (1_700_000_000_000, 472_222)]
        {
            assert_eq!(Hour::of(moment(millis)), Hour(hour), "{millis}");
        }
        assert_eq!(Hour(472_222).start(), moment(1_699_999_200_000));
        assert_eq!(Hour::of(Hour(u32::MAX).start()), Hour::of(Timestamp::saturating_from_millis(i64::MAX)));
    }

    #[test]
    fn every_outcome_has_a_name() {
        let refused = Reason::ALL.iter().map(|reason| UseOutcome::Refused(*reason));
        for outcome in refused.chain([UseOutcome::Verified]) {
            assert_eq!(outcome.as_str().parse(), Ok(outcome));
        }
        assert!("valid".parse::<UseOutcome>().is_err());
    }
}
