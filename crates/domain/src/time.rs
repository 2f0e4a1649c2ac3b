//! Timestamps in the precision of the wire.

use std::{fmt, time::Duration};

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};

/// A moment in UTC, in whole milliseconds, between the years 0000 and 9999: what RFC 3339 can print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// 0000-01-01T00:00:00.000Z, in milliseconds since 1970.
const FIRST: i64 = -62_167_219_200_000;
/// 9999-12-31T23:59:59.999Z.
const LAST: i64 = 253_402_300_799_999;

/// The moment is outside the years that RFC 3339 can print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a moment must lie between the years 0000 and 9999")]
pub struct TimestampOutOfRange;

impl Timestamp {
    /// Returns the moment, rounded down to milliseconds.
    pub fn new(moment: DateTime<Utc>) -> Result<Self, TimestampOutOfRange> {
        Self::from_millis(moment.timestamp_millis())
    }

    /// Returns the moment that many milliseconds after 1970-01-01T00:00:00Z.
    pub fn from_millis(millis: i64) -> Result<Self, TimestampOutOfRange> {
        if (FIRST..=LAST).contains(&millis) { Ok(Self(millis)) } else { Err(TimestampOutOfRange) }
    }

    /// Returns the moment that many milliseconds after 1970-01-01T00:00:00Z, or the first or last moment there is.
    pub fn saturating_from_millis(millis: i64) -> Self {
        Self(millis.clamp(FIRST, LAST))
    }

    /// Returns the moment that much later.
    pub fn plus(self, span: Duration) -> Result<Self, TimestampOutOfRange> {
        Self::from_millis(self.0.saturating_add(millis_of(span)))
    }

    /// Returns the moment that much earlier.
    pub fn minus(self, span: Duration) -> Result<Self, TimestampOutOfRange> {
        Self::from_millis(self.0.saturating_sub(millis_of(span)))
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Returns the moment as chrono's type.
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(self.0)
    }
}

fn millis_of(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// RFC 3339 with milliseconds and `Z`, the one form of the wire.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = self.to_datetime();
        let (date, time) = (moment.date_naive(), moment.time());
        // Formatted by hand, because lists are full of timestamps and chrono takes ten times as long.
        let mut text = *b"0000-00-00T00:00:00.000Z";
        put(&mut text, 0..4, date.year().unsigned_abs());
        put(&mut text, 5..7, date.month());
        put(&mut text, 8..10, date.day());
        put(&mut text, 11..13, time.hour());
        put(&mut text, 14..16, time.minute());
        put(&mut text, 17..19, time.second());
        put(&mut text, 20..23, moment.timestamp_subsec_millis());
        f.write_str(str::from_utf8(&text).unwrap_or_default())
    }
}

/// Writes the last digits of the number, as many as fit.
fn put(text: &mut [u8], place: std::ops::Range<usize>, mut number: u32) {
    for digit in text.get_mut(place).into_iter().flatten().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prints_as_the_wire_does() {
        let moment = Timestamp::from_millis(1_681_892_094_007).expect("in range");
        assert_eq!(moment.to_string(), "2023-04-19T08:14:54.007Z");
    }

    proptest! {
        #[test]
        fn prints_as_rfc_3339_has_it(millis in FIRST..=LAST) {
            let moment = Timestamp::from_millis(millis).expect("in range");
            let expected = moment.to_datetime().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
            prop_assert_eq!(moment.to_string(), expected);
        }
    }

    #[test]
    fn is_cut_to_milliseconds_towards_the_past() {
        let moment = DateTime::from_timestamp(1, 123_999_999).expect("valid");
        assert_eq!(Timestamp::new(moment).expect("in range").millis(), 1_123);
    }

    #[test]
    fn ends_where_rfc_3339_ends() {
        assert_eq!(Timestamp::from_millis(FIRST).expect("first").to_string(), "0000-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(FIRST - 1), Err(TimestampOutOfRange));
        assert_eq!(
            Timestamp::from_millis(253_402_300_799_999).expect("last").to_string(),
            "9999-12-31T23:59:59.999Z"
        );
        assert_eq!(Timestamp::from_millis(253_402_300_800_000), Err(TimestampOutOfRange));
        assert_eq!(Timestamp::from_millis(i64::MIN), Err(TimestampOutOfRange));
    }
}
