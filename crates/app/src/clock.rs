//! The system clock, behind the `Clock` port.

use std::time::{Duration, Instant, SystemTime};

use latchkey_domain::Timestamp;
use latchkey_ports::Clock;

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
    #[expect(clippy::expect_used, reason = "without the time no request can be served")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
        let millis = since_epoch.and_then(|since| i64::try_from(since.as_millis()).ok());
        let now = millis.and_then(|millis| Timestamp::from_millis(millis).ok());
        now.expect("the system clock is between the years 1970 and 9999")
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
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
