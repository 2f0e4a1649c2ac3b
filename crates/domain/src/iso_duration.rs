//! Durations of ISO 8601.

use std::{fmt, str::FromStr, time::Duration};

/// The designators before the `T`, in their order, with their length in seconds.
const OF_DATE: &[(char, u64)] = &[('D', 86_400)];
/// The designators after the `T`.
const OF_TIME: &[(char, u64)] = &[('H', 3_600), ('M', 60), ('S', 1)];
const WEEK: u64 = 7 * 86_400;
/// More digits than any useful duration has, and too few for an overflow.
const MAX_DIGITS: usize = 10;

/// A duration in whole seconds, written as in ISO 8601.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IsoDuration(Duration);

/// The text is no duration of ISO 8601, or one that has no fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a duration must be written as in ISO 8601, such as PT24H, P7D or PT0S")]
pub struct InvalidIsoDuration;

impl IsoDuration {
    /// Returns the duration, rounded down to seconds.
    pub fn new(span: Duration) -> Self {
        Self(Duration::from_secs(span.as_secs()))
    }

    /// Returns its length.
    pub fn span(self) -> Duration {
        self.0
    }
}

/// Reads a duration of ISO 8601 (section 5.5.2.2) in whole weeks, or in days, hours, minutes and seconds. Years and
/// months have no fixed length and are refused; so are fractions and signs.
impl FromStr for IsoDuration {
    type Err = InvalidIsoDuration;

    fn from_str(text: &str) -> Result<Self, InvalidIsoDuration> {
        parse(text).map(Self).ok_or(InvalidIsoDuration)
    }
}

/// Days, hours, minutes and seconds, as far as there are any.
impl fmt::Display for IsoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_secs();
        if rest == 0 {
            return f.write_str("PT0S");
        }
        f.write_str("P")?;
        for (designator, unit) in OF_DATE {
            rest = write_part(f, rest, *designator, *unit)?;
        }
        if rest > 0 {
            f.write_str("T")?;
        }
        for (designator, unit) in OF_TIME {
            rest = write_part(f, rest, *designator, *unit)?;
        }
        Ok(())
    }
}

/// Writes how many whole units there are, unless there is none, and returns the rest.
fn write_part(
    f: &mut fmt::Formatter<'_>,
    seconds: u64,
    designator: char,
    unit: u64,
) -> Result<u64, fmt::Error> {
    if seconds >= unit {
        write!(f, "{}{designator}", seconds / unit)?;
    }
    Ok(seconds % unit)
}

fn parse(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('P')?;
    if let Some(weeks) = text.strip_suffix('W') {
        return Some(Duration::from_secs(number(weeks)?.checked_mul(WEEK)?));
    }
    let seconds = match text.split_once('T') {
        None => parts(text, OF_DATE)?,
        Some(("", time)) => parts(time, OF_TIME)?,
        Some((date, time)) => parts(date, OF_DATE)?.checked_add(parts(time, OF_TIME)?)?,
    };
    Some(Duration::from_secs(seconds))
}

/// Parses one part or more, each designator at most once and in its order.
fn parts(mut text: &str, mut allowed: &[(char, u64)]) -> Option<u64> {
    let mut seconds = 0_u64;
    loop {
        let (count, rest) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
        let designator = rest.chars().next()?;
        let position = allowed.iter().position(|(known, _)| *known == designator)?;
        let (_, unit) = allowed.get(position)?;
        seconds = seconds.checked_add(number(count)?.checked_mul(*unit)?)?;
        text = rest.strip_prefix(designator)?;
        allowed = allowed.get(position + 1..)?;
        if text.is_empty() {
            return Some(seconds);
        }
    }
}

fn number(digits: &str) -> Option<u64> {
    let is_number = (1..=MAX_DIGITS).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_printed_in_their_shortest_form() {
        for (seconds, text) in [
            (0, "PT0S"),
            (59, "PT59S"),
            (60, "PT1M"),
            (3_630, "PT1H30S"),
            (86_400, "P1D"),
            (93_784, "P1DT2H3M4S"),
            (90 * 86_400, "P90D"),
        ] {
            assert_eq!(IsoDuration::new(Duration::from_secs(seconds)).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(seconds in 0..=1_000_000_000_u64) {
            let duration = IsoDuration::new(Duration::from_secs(seconds));
            prop_assert_eq!(duration.to_string().parse(), Ok(duration));
        }
    }

    #[test]
    fn durations_are_parsed() {
        for (text, seconds) in [
            ("PT24H", 86_400),
            ("PT0S", 0),
            ("P0D", 0),
            ("P1D", 86_400),
            ("P2W", 1_209_600),
            ("PT90M", 5_400),
            ("PT1H30S", 3_630),
            ("P1DT2H3M4S", 93_784),
            ("PT9999999999S", 9_999_999_999),
        ] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "PT1",
            "1D",
            "PTH",
            "P1H",
            "PT1D",
            "P1DT",
            "P1Y",
            "P1M",
            "P1W1D",
            "PW",
            "PT1M1H",
            "PT1H1H",
            "PT1.5H",
            "PT1,5H",
            "-PT1H",
            "PT-1H",
            "P+1D",
            "pt1h",
            "PT1h",
            " PT1H",
            "PT1H ",
            "PT1Hé",
            "P1TT1H",
            "PT99999999999S",
            "P99999999999999999999W",
            "24h",
            "86400",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
