//! Mail: when digests of events go out.

use std::{fmt, str::FromStr, time::Duration};

use crate::Timestamp;

/// The milliseconds of a day of UTC, which has no leap seconds here, as in timestamps.
const MILLIS: i64 = 86_400_000;

/// A day of UTC, counted from the first one of 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub u32);

impl Day {
    /// Returns the day of a moment. A moment before 1970, which no clock shows, is in the first day.
    pub fn of(moment: Timestamp) -> Self {
        Self(u32::try_from(moment.millis().div_euclid(MILLIS)).unwrap_or_default())
    }

    /// Returns the moment at which it begins.
    pub fn start(self) -> Timestamp {
        Timestamp::saturating_from_millis(i64::from(self.0) * MILLIS)
    }

    /// Returns the day after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// As the wire writes dates.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.start().to_string().split('T').next().unwrap_or_default())
    }
}

/// The time of day, in UTC, at which digests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigestTime {
    /// Since midnight.
    minutes: u16,
}

/// The text is no time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time of day must read hh:mm, from 00:00 to 23:59")]
pub struct InvalidDigestTime;

impl DigestTime {
    /// Returns the moment at which the digests of a day are due.
    pub fn on(self, day: Day) -> Timestamp {
        let since_midnight = Duration::from_secs(60 * u64::from(self.minutes));
        day.start().plus(since_midnight).unwrap_or_else(|_| day.start())
    }

    /// Returns the first day whose digests are due after that moment.
    pub fn first_day_after(self, moment: Timestamp) -> Day {
        let day = Day::of(moment);
        if self.on(day) > moment { day } else { day.next() }
    }
}

/// Parses `hh:mm`.
impl FromStr for DigestTime {
    type Err = InvalidDigestTime;

    fn from_str(text: &str) -> Result<Self, InvalidDigestTime> {
        let number = |text: &str, below: u16| {
            let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u16>().ok().filter(|number| is_number && *number < below)
        };
        let (hours, minutes) = text.split_once(':').ok_or(InvalidDigestTime)?;
        let parsed = number(hours, 24).zip(number(minutes, 60));
        let (hours, minutes) = parsed.ok_or(InvalidDigestTime)?;
        Ok(Self { minutes: 60 * hours + minutes })
    }
}

impl fmt::Display for DigestTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).expect("in range")
    }

    #[test]
    fn a_time_of_day_is_read_and_printed() {
        for text in ["00:00", "07:00", "23:59"] {
            assert_eq!(text.parse::<DigestTime>().expect(text).to_string(), text);
        }
        for text in ["", "7:00", "07:0", "24:00", "07:60", "07", "07:00:00", "+7:00", "07:+1", "aa:bb"] {
            assert_eq!(text.parse::<DigestTime>(), Err(InvalidDigestTime), "{text}");
        }
    }

    #[test]
    fn the_next_digest_is_today_or_tomorrow() {
        let seven: DigestTime = "07:00".parse().expect("a time");
        let (day, hour) = (Day(20_000), 3_600_000);
        let moment = |after: i64| at(day.start().millis() + after);
        assert_eq!(day.to_string(), "2024-10-04");
        assert_eq!(seven.on(day), moment(7 * hour));
        for (after, expected) in
            [(0, day), (7 * hour - 1, day), (7 * hour, day.next()), (24 * hour - 1, day.next())]
        {
            assert_eq!(seven.first_day_after(moment(after)), expected, "{after}");
        }
        assert_eq!(Day::of(at(-1)), Day(0));
        assert_eq!(Day(u32::MAX).next().start(), Day(u32::MAX).start(), "there is no later one");
    }
}
