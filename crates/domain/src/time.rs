//! Moments, as the wire knows them.

use std::fmt;

use chrono::{DateTime, Datelike, SecondsFormat, Utc};

/// A moment in UTC, in whole milliseconds, between the years 0000 and 9999: what RFC 3339 can print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

/// The moment is outside the years that RFC 3339 can print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a moment must lie between the years 0000 and 9999")]
pub struct TimestampOutOfRange;

impl Timestamp {
    /// The moment, cut to milliseconds (towards the past, as the reference does).
    ///
    /// # Errors
    /// [`TimestampOutOfRange`] outside the years 0000 to 9999.
    pub fn new(moment: DateTime<Utc>) -> Result<Self, TimestampOutOfRange> {
        Self::from_millis(moment.timestamp_millis())
    }

    /// The moment that many milliseconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`TimestampOutOfRange`] outside the years 0000 to 9999.
    pub fn from_millis(millis: i64) -> Result<Self, TimestampOutOfRange> {
        DateTime::from_timestamp_millis(millis)
            .filter(|moment| (0..=9999).contains(&moment.year()))
            .map(Self)
            .ok_or(TimestampOutOfRange)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// The same moment for chrono.
    #[must_use]
    pub fn to_datetime(self) -> DateTime<Utc> {
        self.0
    }
}

/// RFC 3339 with milliseconds and `Z`, the one form of the wire.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_the_wire_does() {
        let moment = Timestamp::from_millis(1_681_892_094_007).expect("in range");
        assert_eq!(moment.to_string(), "2023-04-19T08:14:54.007Z");
    }

    #[test]
    fn is_cut_to_milliseconds_towards_the_past() {
        let moment = DateTime::from_timestamp(1, 123_999_999).expect("valid");
        assert_eq!(Timestamp::new(moment).expect("in range").millis(), 1_123);
    }

    #[test]
    fn ends_where_rfc_3339_ends() {
        assert_eq!(
            Timestamp::from_millis(253_402_300_799_999).expect("last").to_string(),
            "9999-12-31T23:59:59.999Z"
        );
        assert_eq!(Timestamp::from_millis(253_402_300_800_000), Err(TimestampOutOfRange));
        assert_eq!(Timestamp::from_millis(i64::MIN), Err(TimestampOutOfRange));
    }
}
