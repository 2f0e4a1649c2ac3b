//! Throttling of logins: guessing passwords is slowed down, and no account is locked.

use std::time::Duration;

use crate::Timestamp;

/// The number of consecutive failed logins, for one account or from one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginFailures {
    /// Failures since the last success or since they were forgotten.
    pub count: u32,
    pub last_at: Timestamp,
}

impl LoginFailures {
    /// The number of consecutive failures without a wait.
    pub const FREE: u32 = 5;
    /// The maximum wait between two attempts.
    pub const MAX_WAIT: Duration = Duration::from_secs(30);
    /// The time without an attempt after which failures are forgotten.
    pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);

    /// Returns how long the next attempt must wait from `now` on; `None` if it need not. An attempt that is told to
    /// wait does not count as a failure, so the wait always ends: the owner of an account is slowed down by at most
    /// [`LoginFailures::MAX_WAIT`].
    pub fn wait(self, now: Timestamp) -> Option<Duration> {
        let over = self.count.checked_sub(Self::FREE)?;
        let passed = Duration::from_millis(u64::try_from(now.millis() - self.last_at.millis()).unwrap_or(0));
        if self.is_forgotten(now) {
            return None;
        }
        let seconds = 1_u64.checked_shl(over).unwrap_or(u64::MAX);
        let pause = Duration::from_secs(seconds).min(Self::MAX_WAIT);
        pause.checked_sub(passed).filter(|rest| !rest.is_zero())
    }

    /// Returns the failures after another one at that moment.
    pub fn and_another(before: Option<Self>, now: Timestamp) -> Self {
        let kept = before.filter(|before| !before.is_forgotten(now));
        Self { count: kept.map_or(0, |kept| kept.count).saturating_add(1), last_at: now }
    }

    /// Whether the failures no longer count, because they are old, or lie in the future. Clocks of several machines may
    /// differ a little; if they differ by more, a clock was wrong and was set back, and no user should wait until it
    /// catches up.
    pub fn is_forgotten(self, now: Timestamp) -> bool {
        let passed = now.millis().saturating_sub(self.last_at.millis());
        match u64::try_from(passed) {
            Ok(passed) => Duration::from_millis(passed) >= Self::FORGOTTEN_AFTER,
            Err(_) => Duration::from_millis(passed.unsigned_abs()) > Self::MAX_WAIT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000).expect("in range")
    }

    fn wait(count: u32, seconds_later: i64) -> Option<u64> {
        LoginFailures { count, last_at: at(0) }.wait(at(seconds_later)).map(|wait| wait.as_secs())
    }

    #[test]
    fn the_first_five_are_free_and_then_the_wait_doubles() {
        assert_eq!([0, 4].map(|count| wait(count, 0)), [None, None]);
        assert_eq!([5, 6, 7, 9].map(|count| wait(count, 0)), [Some(1), Some(2), Some(4), Some(16)]);
        assert_eq!([10, 100, u32::MAX].map(|count| wait(count, 0)), [Some(30); 3]);
    }

    #[test]
    fn a_wait_ends() {
        assert_eq!(wait(7, 3), Some(1));
        assert_eq!(wait(7, 4), None);
        assert_eq!(wait(u32::MAX, 30), None);
        assert_eq!(wait(7, -1), Some(4), "another machine's clock");
        assert_eq!(wait(u32::MAX, -30), Some(30));
        assert_eq!(wait(u32::MAX, -31), None, "a clock that was set back");
    }

    #[test]
    fn failures_are_forgotten() {
        let some = LoginFailures { count: 9, last_at: at(0) };
        assert_eq!(LoginFailures::and_another(Some(some), at(1)).count, 10);
        assert_eq!(LoginFailures::and_another(Some(some), at(900)).count, 1);
        assert_eq!(
            LoginFailures::and_another(Some(some), at(-31)),
            LoginFailures { count: 1, last_at: at(-31) }
        );
        assert_eq!(LoginFailures::and_another(None, at(0)).count, 1);
    }
}
