//! The system clock, behind the `Clock` port, and the ticks of tasks that repeat.

use std::time::{Duration, Instant, SystemTime};

use latchkey_domain::Timestamp;
use latchkey_ports::Clock;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// The system clock.
#[derive(Debug)]
pub(crate) struct SystemClock {
    started: Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter behind the `Clock` port")]
    pub(crate) fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter behind the `Clock` port")]
    fn now(&self) -> Timestamp {
        let now = SystemTime::now();
        let since = now.duration_since(SystemTime::UNIX_EPOCH).ok();
        // A clock before 1970 reads as 1970, one after 9999 as the end of 9999.
        let millis = since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        Timestamp::saturating_from_millis(millis)
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Returns ticks with this time between them, the first at once. After a late tick the next ones are late as well: a task that
/// took long does not repeat without a pause.
pub(crate) fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monotonic_time_starts_near_zero_and_never_goes_back() {
        let clock = SystemClock::new();
        let first = clock.monotonic();
        assert!(clock.monotonic() >= first);
        assert!(first < Duration::from_secs(60));
    }

    #[test]
    fn the_current_time_is_plausible() {
        let (start, end) = (1_735_689_600_000, 7_258_118_400_000); // the years 2025 and 2200
        assert!((start..end).contains(&SystemClock::new().now().millis()));
    }
}
