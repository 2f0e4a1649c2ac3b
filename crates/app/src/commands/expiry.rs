//! When something ends, as the command line says it.

use std::time::Duration;

use anyhow::Context as _;
use chrono::DateTime;
use latchkey_domain::Timestamp;

/// A span from now, or a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// That long from now.
    After(Duration),
    /// At that moment.
    At(Timestamp),
}

impl Expiry {
    /// Reads a span: `12h`, `90d`, `1y 6months`.
    ///
    /// # Errors
    /// Says how to write one.
    pub(crate) fn after(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text)
            .map(Self::After)
            .map_err(|error| format!("{error}; write 12h, 90d or 1y"))
    }

    /// Reads a moment: RFC 3339.
    ///
    /// # Errors
    /// Says how to write one.
    pub(crate) fn at(text: &str) -> Result<Self, String> {
        let moment = DateTime::parse_from_rfc3339(text)
            .map_err(|error| format!("{error}; write 2030-01-31T00:00:00Z"))?;
        Timestamp::new(moment.to_utc()).map(Self::At).map_err(|error| error.to_string())
    }

    /// The moment.
    ///
    /// # Errors
    /// Where it would lie beyond the year 9999.
    pub(crate) fn moment(self, now: Timestamp) -> anyhow::Result<Timestamp> {
        match self {
            Self::At(moment) => Ok(moment),
            Self::After(span) => i64::try_from(span.as_millis())
                .ok()
                .and_then(|span| now.millis().checked_add(span))
                .and_then(|millis| Timestamp::from_millis(millis).ok())
                .context("--expires-in is too long: it ends after the year 9999"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_counts_from_now_and_a_moment_does_not() {
        let now = Timestamp::from_millis(1_000).expect("in range");
        let end =
            |expiry: Result<Expiry, String>| expiry.expect("good").moment(now).expect("in range").to_string();
        assert_eq!(end(Expiry::after("1d")), "1970-01-02T00:00:01.000Z");
        assert_eq!(end(Expiry::at("2030-01-31T01:00:00+01:00")), "2030-01-31T00:00:00.000Z");
        assert!(Expiry::after("9000y").expect("good").moment(now).is_err());
        assert!(Expiry::after("soon").is_err() && Expiry::at("2030-01-31").is_err());
    }
}
