//! Points in time, as requests and responses write them.

use chrono::{DateTime, NaiveDateTime, Utc};
use latchkey_domain::Timestamp;
use serde::{Serialize, Serializer};

/// A point in time in a response: RFC 3339, in UTC, with milliseconds.
pub(crate) struct WireTime(pub(crate) Timestamp);

impl Serialize for WireTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Parses RFC 3339 (section 5.6), and the variants that Unleash accepts: `t`, `z` or a blank in the usual places, an
/// offset without its colon, and no offset at all, which is UTC. Fractions are cut to milliseconds. Refused, as in
/// Unleash: dates without a time, leap seconds, offsets of hours alone, days that do not exist.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    // Chrono accepts more than that: signs before the year, missing seconds, 60 as a second.
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let mark = |at: usize, allowed: &[u8]| bytes.get(at).is_some_and(|byte| allowed.contains(byte));
    let date = digits(0..4) && mark(4, b"-") && digits(5..7) && mark(7, b"-") && digits(8..10);
    let time = digits(11..13) && mark(13, b":") && digits(14..16) && mark(16, b":") && digits(17..19);
    if !(date && mark(10, b"Tt ") && time) || text.get(17..19) == Some("60") {
        return None;
    }
    let (start, end) = text.split_at_checked(19)?;
    let start = start.replace(['t', ' '], "T");
    let fraction =
        end.strip_prefix('.').map_or(0, |rest| 1 + rest.bytes().take_while(u8::is_ascii_digit).count());
    if fraction == 1 {
        return None;
    }
    let (fraction, offset) = end.split_at_checked(fraction)?;
    // Chrono accepts at most nine digits, and only three are kept.
    let fraction = fraction.get(..fraction.len().min(10))?;
    let time = match offset {
        "" | "Z" | "z" => {
            NaiveDateTime::parse_from_str(&format!("{start}{fraction}"), "%Y-%m-%dT%H:%M:%S%.f")
                .ok()?
                .and_utc()
        }
        offset => at_offset(&start, fraction, offset)?,
    };
    Timestamp::new(time).ok()
}

fn at_offset(start: &str, fraction: &str, offset: &str) -> Option<DateTime<Utc>> {
    let (hours, minutes) = match offset.get(1..)? {
        rest if rest.len() == 4 => rest.split_at_checked(2)?,
        rest => rest.split_once(':')?,
    };
    let number = |text: &str, below: u8| {
        let number: u8 =
            (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())??;
        (number < below).then_some(())
    };
    number(hours, 24)?;
    number(minutes, 60)?;
    let sign = offset.get(..1).filter(|sign| matches!(*sign, "+" | "-"))?;
    let text = format!("{start}{fraction}{sign}{hours}:{minutes}");
    DateTime::parse_from_rfc3339(&text).ok().map(|time| time.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_unleash_accepts_are_parsed() {
        for (text, time) in [
            ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000Z"),
            ("2030-01-01T00:00:00.123456Z", "2030-01-01T00:00:00.123Z"),
            ("2030-01-01T00:00:00", "2030-01-01T00:00:00.000Z"),
            ("2030-01-01t00:00:00z", "2030-01-01T00:00:00.000Z"),
            ("2030-01-01 00:00:00Z", "2030-01-01T00:00:00.000Z"),
            ("2030-01-01T00:00:00+0200", "2029-12-31T22:00:00.000Z"),
            ("2030-01-01T00:00:00.5-23:59", "2030-01-01T23:59:00.500Z"),
            ("2028-02-29T23:59:59.999999999999Z", "2028-02-29T23:59:59.999Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(parse(text).map(|time| time.to_string()).as_deref(), Some(time), "{text}");
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "",
            "2030-01-01",
            "2030-01-01T00:00Z",
            "2030-13-01T00:00:00Z",
            "2030-02-30T00:00:00Z",
            "2030-01-01T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "2030-01-01T00:00:00+02",
            "2030-01-01T00:00:00+24:00",
            "2030-01-01T00:00:00+02:60",
            "2030-01-01T00:00:00+99:99",
            "2030-01-01T00:00:00.Z",
            "2030-01-01T00:00:00 Z",
            " 2030-01-01T00:00:00Z",
            "2030-01-01T00:00:00Zé",
            "+12030-01-01T00:00:00Z",
            "0000-01-01T00:00:00+01:00",
            "tomorrow",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
