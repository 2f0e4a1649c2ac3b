//! Limits of API tokens: how often a token may be used in a time, and how often at all.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{IsoDuration, Timestamp, TokenId};

/// How often a token may be used in each window: a fixed span of time, counted from 1970, so that all processes mean the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RateLimitParts", into = "RateLimitParts")]
pub struct RateLimit {
    requests: u32,
    per: IsoDuration,
    burst: u32,
}

/// How often a token may be used at all, or until the next refill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "UsesParts", into = "UsesParts")]
pub struct Uses {
    remaining: u64,
    refill: Option<Refill>,
    set_at: Option<Timestamp>,
}

/// How the uses of a token become more again: each time that has passed, what is left becomes the amount, if it is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refill {
    amount: u64,
    every: IsoDuration,
}

/// The limits of a token, at least one of which is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenLimits {
    pub rate: Option<RateLimit>,
    pub uses: Option<Uses>,
}

/// Why a limit is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    #[error("requests must be 1 to {max}", max = RateLimit::MAX)]
    Requests,
    #[error("burst must be at most {max}", max = RateLimit::MAX)]
    Burst,
    #[error("per must be PT1S to P31D")]
    Per,
    #[error("remaining must be at most {max}", max = Uses::MAX)]
    Remaining,
    #[error("amount must be 1 to {max}", max = Uses::MAX)]
    Amount,
    #[error("every must be PT1S to P366D")]
    Every,
}

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

impl RateLimit {
    /// The most requests, and the largest burst.
    pub const MAX: u32 = 1_000_000_000;
    /// The longest window.
    const MAX_PER: Duration = DAY.saturating_mul(31);
    /// How far the window of another process may be ahead, at least: clocks differ.
    const MIN_SKEW: Duration = Duration::from_secs(10);

    /// Returns a limit of that many requests in each window of that length, to which up to `burst` requests are added that earlier
    /// windows left over.
    ///
    /// # Errors
    /// [`LimitError`].
    pub fn new(requests: u32, per: IsoDuration, burst: u32) -> Result<Self, LimitError> {
        if !(1..=Self::MAX).contains(&requests) {
            return Err(LimitError::Requests);
        }
        if !(SECOND..=Self::MAX_PER).contains(&per.span()) {
            return Err(LimitError::Per);
        }
        if burst > Self::MAX {
            return Err(LimitError::Burst);
        }
        Ok(Self { requests, per, burst })
    }

    /// Returns how many requests each window has.
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// Returns the length of a window.
    pub fn per(&self) -> IsoDuration {
        self.per
    }

    /// Returns how many requests of earlier windows can be added to one.
    pub fn burst(&self) -> u32 {
        self.burst
    }

    /// Returns the length of a window in milliseconds.
    pub fn per_millis(&self) -> i64 {
        millis(self.per)
    }

    /// Returns the start of the window of that moment.
    pub fn window(&self, now: Timestamp) -> Timestamp {
        let per = self.per_millis();
        Timestamp::saturating_from_millis(now.millis().div_euclid(per) * per)
    }

    /// Returns when the window ends that has this moment in it.
    pub fn window_end(&self, start: Timestamp) -> Timestamp {
        Timestamp::saturating_from_millis(self.window(start).millis() + self.per_millis())
    }

    /// Returns by how many milliseconds a window can be ahead of the present one and still be that of a process whose clock is fast. One
    /// that is further ahead was begun by a clock that was wrong.
    pub fn skew_millis(&self) -> i64 {
        self.per_millis().max(i64::try_from(Self::MIN_SKEW.as_millis()).unwrap_or(i64::MAX))
    }

    /// Whether a window is the present one: begun, or begun by a process whose clock is fast.
    pub fn is_present(&self, window: Timestamp, now: Timestamp) -> bool {
        let ahead = window.millis() - self.window(now).millis();
        (0..=self.skew_millis()).contains(&ahead)
    }

    /// Returns what is kept of the present window, after what was kept before.
    pub fn record_at(&self, kept: Option<RateRecord>, now: Timestamp) -> RateRecord {
        let window = self.window(now);
        match kept {
            Some(kept) if self.is_present(kept.window, now) => {
                RateRecord { carried: kept.carried.min(self.burst.into()), ..kept }
            }
            Some(kept) => {
                // A window in which nothing was asked for leaves all of its requests.
                let idle = (window.millis() - kept.window.millis()) / self.per_millis() - 1;
                let idle = u64::try_from(idle).unwrap_or(0).min(self.burst.into());
                let unused = self.room(&kept) + idle * u64::from(self.requests);
                RateRecord { window, used: 0, carried: unused.min(self.burst.into()) }
            }
            None => RateRecord { window, used: 0, carried: 0 },
        }
    }

    /// Returns how many requests are left in a window.
    pub fn room(&self, record: &RateRecord) -> u64 {
        (u64::from(self.requests) + record.carried).saturating_sub(record.used)
    }

    /// Whether a token with this limit can never be used more often than with the other one.
    fn is_within(&self, other: &Self) -> bool {
        let peak = |limit: &Self| u64::from(limit.requests) + u64::from(limit.burst);
        let times = |one: &Self, other: &Self| u128::from(one.requests) * other.per.span().as_millis();
        times(self, other) <= times(other, self) && peak(self) <= peak(other)
    }
}

/// What is kept of the window of a rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateRecord {
    /// Its start.
    pub window: Timestamp,
    /// The requests that processes have taken.
    pub used: u64,
    /// The requests that were added to it, left over by earlier ones.
    pub carried: u64,
}

impl Uses {
    /// The most uses.
    pub const MAX: u64 = 1_000_000_000_000;

    /// Returns that many uses, which come back as `refill` says.
    ///
    /// # Errors
    /// [`LimitError::Remaining`].
    pub fn new(remaining: u64, refill: Option<Refill>) -> Result<Self, LimitError> {
        if remaining > Self::MAX {
            return Err(LimitError::Remaining);
        }
        Ok(Self { remaining, refill, set_at: None })
    }

    /// Returns the uses as they count from that moment on, in place of those of `before`; later than that, also where the clock was
    /// set back.
    #[must_use]
    pub fn set_at(self, now: Timestamp, before: Timestamp) -> Self {
        let after = Timestamp::saturating_from_millis(before.millis() + 1);
        Self { set_at: Some(now.max(after)), ..self }
    }

    /// Returns how many there were when they were set.
    pub fn granted(&self) -> u64 {
        self.remaining
    }

    /// Returns how they come back.
    pub fn refill(&self) -> Option<Refill> {
        self.refill
    }

    /// Returns when they were set: with the token, unless they were set later.
    pub fn since(&self, token: TokenId) -> Timestamp {
        self.set_at.unwrap_or_else(|| Timestamp::saturating_from_millis(token.created_at_millis()))
    }

    /// Returns how many refills are due until that moment.
    pub fn refills(&self, token: TokenId, now: Timestamp) -> u64 {
        let passed = now.millis() - self.since(token).millis();
        let refills = self.refill.map_or(0, |refill| passed / millis(refill.every));
        u64::try_from(refills).unwrap_or(0)
    }

    /// Returns when the next refill is due; `None` if there is none.
    pub fn next_refill(&self, token: TokenId, now: Timestamp) -> Option<Timestamp> {
        let every = millis(self.refill?.every);
        let count = i64::try_from(self.refills(token, now)).unwrap_or(i64::MAX);
        let after = every.saturating_mul(count.saturating_add(1));
        Some(Timestamp::saturating_from_millis(self.since(token).millis().saturating_add(after)))
    }

    /// Returns what is kept of the uses, after what was kept before.
    pub fn record_at(&self, token: TokenId, kept: Option<UsesRecord>, now: Timestamp) -> UsesRecord {
        let (since, refills) = (self.since(token), self.refills(token, now));
        let refilled = |left: u64| self.refill.map_or(left, |refill| left.max(refill.amount));
        match kept {
            Some(kept) if kept.since == since && refills > kept.refills => {
                UsesRecord { left: refilled(kept.left), refills, ..kept }
            }
            // Also what a process has set that knows of a later change.
            Some(kept) if kept.since >= since => kept,
            _ => UsesRecord {
                since,
                left: if refills > 0 { refilled(self.remaining) } else { self.remaining },
                refills,
            },
        }
    }
}

/// What is kept of the uses of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsesRecord {
    /// When they were set.
    pub since: Timestamp,
    pub left: u64,
    /// How many refills there were.
    pub refills: u64,
}

impl Refill {
    /// The longest time between two refills.
    const MAX_EVERY: Duration = DAY.saturating_mul(366);

    /// Returns the refill up to this amount at such intervals.
    ///
    /// # Errors
    /// [`LimitError`].
    pub fn new(amount: u64, every: IsoDuration) -> Result<Self, LimitError> {
        if !(1..=Uses::MAX).contains(&amount) {
            return Err(LimitError::Amount);
        }
        if !(SECOND..=Self::MAX_EVERY).contains(&every.span()) {
            return Err(LimitError::Every);
        }
        Ok(Self { amount, every })
    }

    /// Returns up to how many uses there are after it.
    pub fn amount(&self) -> u64 {
        self.amount
    }

    /// Returns the time from one to the next.
    pub fn every(&self) -> IsoDuration {
        self.every
    }
}

impl TokenLimits {
    /// Returns the limits; `None` if there is none.
    pub fn of(rate: Option<RateLimit>, uses: Option<Uses>) -> Option<Self> {
        (rate.is_some() || uses.is_some()).then_some(Self { rate, uses })
    }

    /// Whether a token with these limits can be used no more than with the others. Uses that were set anew can be more than are left.
    pub(crate) fn are_within(
        (rate, uses): (Option<RateLimit>, Option<Uses>),
        (other_rate, other_uses): (Option<RateLimit>, Option<Uses>),
    ) -> bool {
        let is_rate_within = other_rate.is_none_or(|other| rate.is_some_and(|rate| rate.is_within(&other)));
        is_rate_within && (other_uses.is_none() || uses == other_uses)
    }
}

fn millis(span: IsoDuration) -> i64 {
    i64::try_from(span.span().as_millis()).unwrap_or(i64::MAX)
}

/// How a [`RateLimit`] is written.
#[derive(Serialize, Deserialize)]
struct RateLimitParts {
    requests: u32,
    #[serde(with = "iso_8601")]
    per: IsoDuration,
    #[serde(default, skip_serializing_if = "is_zero")]
    burst: u32,
}

impl From<RateLimit> for RateLimitParts {
    fn from(RateLimit { requests, per, burst }: RateLimit) -> Self {
        Self { requests, per, burst }
    }
}

impl TryFrom<RateLimitParts> for RateLimit {
    type Error = LimitError;

    fn try_from(parts: RateLimitParts) -> Result<Self, LimitError> {
        Self::new(parts.requests, parts.per, parts.burst)
    }
}

/// How [`Uses`] are written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UsesParts {
    remaining: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refill: Option<RefillParts>,
    /// In milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set_at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct RefillParts {
    amount: u64,
    #[serde(with = "iso_8601")]
    every: IsoDuration,
}

impl From<Uses> for UsesParts {
    fn from(Uses { remaining, refill, set_at }: Uses) -> Self {
        let refill = refill.map(|Refill { amount, every }| RefillParts { amount, every });
        Self { remaining, refill, set_at: set_at.map(Timestamp::millis) }
    }
}

impl TryFrom<UsesParts> for Uses {
    type Error = LimitError;

    fn try_from(parts: UsesParts) -> Result<Self, LimitError> {
        let refill = parts.refill.map(|refill| Refill::new(refill.amount, refill.every)).transpose()?;
        let set_at = parts.set_at.map(Timestamp::saturating_from_millis);
        Ok(Self { set_at, ..Self::new(parts.remaining, refill)? })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A duration as text.
mod iso_8601 {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::IsoDuration;

    pub(super) fn serialize<S: Serializer>(span: &IsoDuration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(span)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<IsoDuration, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
