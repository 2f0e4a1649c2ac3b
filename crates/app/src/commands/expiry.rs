//! The expiry of a token on the command line.

use std::time::Duration;

use anyhow::Context as _;
use chrono::DateTime;
use clap::Args;
use latchkey_domain::Timestamp;

/// A lifetime or an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    After(Duration),
    At(Timestamp),
}

/// A required expiry.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct RequiredExpiry {
    /// The lifetime: 12h, 90d, 1y
    #[arg(long, value_name = "DURATION", value_parser = Expiry::after)]
    pub(crate) expires_in: Option<Expiry>,
    /// The end of the lifetime: 2030-01-31T00:00:00Z
    #[arg(long, value_name = "RFC3339", value_parser = Expiry::at)]
    pub(crate) expires_at: Option<Expiry>,
}

/// An optional expiry.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct OptionalExpiry {
    /// The lifetime: 12h, 90d, 1y; by default unlimited
    #[arg(long, value_name = "DURATION", value_parser = Expiry::after)]
    pub(crate) expires_in: Option<Expiry>,
    /// The end of the lifetime: 2030-01-31T00:00:00Z
    #[arg(long, value_name = "RFC3339", value_parser = Expiry::at)]
    pub(crate) expires_at: Option<Expiry>,
}

impl Expiry {
    /// Parses a lifetime: `12h`, `90d`, `1y 6months`.
    ///
    /// # Errors
    /// Says what to write.
    pub(crate) fn after(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text)
            .map(Self::After)
            .map_err(|error| format!("{error}; write 12h, 90d or 1y"))
    }

    /// Parses an end (RFC 3339).
    ///
    /// # Errors
    /// Says what to write.
    pub(crate) fn at(text: &str) -> Result<Self, String> {
        parse_time(text).map(Self::At)
    }

    /// Returns the time of expiry.
    ///
    /// # Errors
    /// If it is after the year 9999.
    pub(crate) fn time(self, now: Timestamp) -> anyhow::Result<Timestamp> {
        match self {
            Self::At(end) => Ok(end),
            Self::After(lifetime) => now
                .plus(lifetime)
                .context("--expires-in is too long: the token would expire after the year 9999"),
        }
    }
}

/// Parses a time (RFC 3339).
///
/// # Errors
/// Says what to write.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, String> {
    let time =
        DateTime::parse_from_rfc3339(text).map_err(|error| format!("{error}; write 2030-01-31T00:00:00Z"))?;
    Timestamp::new(time.to_utc()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_starts_now_and_an_end_is_absolute() {
        let now = Timestamp::from_millis(1_000).expect("in range");
        let end =
            |expiry: Result<Expiry, String>| expiry.expect("good").time(now).expect("in range").to_string();
        assert_eq!(end(Expiry::after("1d")), "1970-01-02T00:00:01.000Z");
        assert_eq!(end(Expiry::at("2030-01-31T01:00:00+01:00")), "2030-01-31T00:00:00.000Z");
        assert!(Expiry::after("9000y").expect("good").time(now).is_err());
        assert!(Expiry::after("soon").is_err() && Expiry::at("2030-01-31").is_err());
    }
}
