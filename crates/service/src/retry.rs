//! What webhooks and mail do with an attempt that failed.

use std::time::Duration;

use latchkey_domain::Timestamp;
use latchkey_ports::DeliveryOutcome;

/// The longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_secs(6 * 60 * 60);
/// The maximum length of a kept error, in characters.
const MAX_ERROR: usize = 500;

/// When deliveries that fail are tried again (`webhooks.retry_after`, `webhooks.give_up_after`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The pause after the first attempt; it doubles with each further one, up to six hours.
    pub first_pause: Duration,
    /// How long a delivery is tried.
    pub give_up_after: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { first_pause: Duration::from_secs(5), give_up_after: Duration::from_secs(3 * 86_400) }
    }
}

impl RetryPolicy {
    /// Returns what becomes of a delivery, or a mail, that failed for that many times. The noise spreads attempts over a fifth of the pause in either
    /// direction, so that receivers that come back are not called by all at once.
    pub(crate) fn after(
        &self,
        attempts: u32,
        began_at: Timestamp,
        now: Timestamp,
        noise: u8,
    ) -> DeliveryOutcome {
        let doubled = 2_u32.checked_pow(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        let pause = self.first_pause.saturating_mul(doubled).min(MAX_PAUSE);
        let pause = pause * (80 + u32::from(noise) * 40 / 255) / 100;
        let end = began_at.plus(self.give_up_after);
        match now.plus(pause) {
            Ok(at) if end.is_ok_and(|end| at <= end) => DeliveryOutcome::Retry(at),
            _ => DeliveryOutcome::Failed,
        }
    }
}

/// Returns an error as it is kept with a delivery: cut, and without NUL, which PostgreSQL does not store.
pub(crate) fn kept_error(error: &str) -> String {
    error.chars().filter(|c| *c != '\0').take(MAX_ERROR).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).expect("in range")
    }

    #[test]
    fn pauses_double_until_six_hours_and_end_after_the_last_moment() {
        let policy = RetryPolicy::default();
        let pause = |attempts, noise| match policy.after(attempts, at(0), at(0), noise) {
            DeliveryOutcome::Retry(at) => at.millis(),
            other => panic!("{other:?}"),
        };
        assert_eq!([1, 2, 3, 4].map(|attempts| pause(attempts, 128)), [5_000, 10_000, 20_000, 40_000]);
        assert_eq!((pause(1, 0), pause(1, 255)), (4_000, 6_000));
        for attempts in [14, 33, u32::MAX] {
            assert_eq!(pause(attempts, 128), 6 * 3_600_000);
        }
        let days = 86_400_000;
        let in_time = policy.after(1, at(0), at(3 * days - 5_000), 128);
        assert_eq!(in_time, DeliveryOutcome::Retry(at(3 * days)));
        assert_eq!(policy.after(1, at(0), at(3 * days - 4_999), 128), DeliveryOutcome::Failed);
        let last = at(253_402_300_799_999);
        assert_eq!(policy.after(1, last, last, 128), DeliveryOutcome::Failed);
    }
}
