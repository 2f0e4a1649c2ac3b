//! Rate limits: portions of the windows of tokens.
//!
//! A portion is a hundredth of the requests of a window, and towards the end an eighth of what is left, so little is in the hands of
//! processes that do not need it. What is not used for a tenth of the window goes back. The sum of all portions never exceeds
//! what the window has.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::join_all};
use latchkey_domain::{RateLimit, Timestamp, TokenId};
use latchkey_ports::{RateGrant, StoreError};

use super::{
    budgets::Budgets,
    flight::{Flight, Slot, for_one},
    shards::Shards,
    spending::{SpendError, not_spent, rate_limited},
};
use crate::RateLeft;

/// The part of a window that is taken at once.
const PORTIONS: u64 = 100;
/// The part of what is left that is taken at most.
const PART_OF_REST: u64 = 8;
/// Smaller portions are not fetched before the one before is used up.
const FETCHED_AHEAD: u64 = 8;
/// How long a portion is held without use, and how long it is known that nothing is left, at least.
const MIN_IDLE: Duration = Duration::from_secs(1);

/// The portions of all tokens.
pub(super) struct Rates {
    budgets: Arc<Budgets>,
    windows: Shards<Window>,
}

/// What this process knows of the present window of a token.
struct Window {
    limit: RateLimit,
    start: Timestamp,
    ends: Timestamp,
    /// The requests that this process has taken and not used.
    portion: u64,
    /// How many were left in the store; `None` if it was not asked yet.
    left: Option<u64>,
    /// When it was asked.
    asked_at: Timestamp,
    /// The requests that this process has taken.
    taken: u64,
    /// Whether it counts alone, because the store does not answer.
    is_alone: bool,
    /// The requests that wait for a portion.
    waiting: u64,
    used_at: Timestamp,
    lease: Slot,
}

/// What happens to a request.
enum Step {
    Spent(RateLeft),
    /// And the next portion should be fetched.
    SpentLast(RateLeft, Flight),
    Refused(RateLeft),
    Wait(Flight),
}

impl Window {
    fn new(limit: RateLimit, now: Timestamp) -> Self {
        let start = limit.window(now);
        Self {
            limit,
            start,
            ends: limit.window_end(start),
            portion: 0,
            left: None,
            asked_at: now,
            taken: 0,
            is_alone: false,
            waiting: 0,
            used_at: now,
            lease: Slot::default(),
        }
    }

    /// Begins a window, in which nothing was taken.
    fn begin(&mut self, limit: RateLimit, start: Timestamp) {
        self.limit = limit;
        (self.start, self.ends) = (start, limit.window_end(start));
        (self.portion, self.left, self.taken, self.is_alone) = (0, None, 0, false);
    }

    /// Begins the present window, if this one is over or the limit was changed.
    fn renew(&mut self, limit: RateLimit, now: Timestamp) {
        if self.limit != limit || now >= self.ends || !limit.is_present(self.start, now) {
            self.begin(limit, limit.window(now));
        }
    }

    fn idle(&self) -> Duration {
        (self.limit.per().span() / 10).max(MIN_IDLE)
    }

    /// Returns how many are left, if that is still known.
    fn known_left(&self, now: Timestamp) -> Option<u64> {
        // Others may have given something back.
        let is_new = !has_passed(self.idle(), self.asked_at, now);
        self.left.filter(|_| is_new)
    }

    fn size(&self) -> u64 {
        let all = u64::from(self.limit.requests());
        (all / PORTIONS).min(self.left.unwrap_or(all) / PART_OF_REST).max(1)
    }

    fn shown(&self, now: Timestamp) -> RateLeft {
        let limit = self.limit.requests();
        let millis = u64::try_from(self.ends.millis() - now.millis()).unwrap_or(0);
        RateLeft {
            limit,
            remaining: self.portion
                + self.left.unwrap_or_else(|| u64::from(limit).saturating_sub(self.taken)),
            resets_at: self.ends,
            resets_in: Duration::from_millis(millis),
        }
    }

    /// Adds a portion. One of a window that is over is of no use.
    fn add(&mut self, grant: RateGrant, now: Timestamp) {
        if grant.window > self.start {
            self.begin(self.limit, grant.window);
        }
        if grant.window == self.start {
            self.portion += grant.granted;
            self.taken += grant.granted;
            (self.left, self.asked_at) = (Some(grant.left), now);
        }
    }

    /// Counts alone for the rest of the window.
    fn be_alone(&mut self, now: Timestamp) {
        if !self.is_alone {
            let rest = u64::from(self.limit.requests()).saturating_sub(self.taken);
            self.portion += rest;
            self.taken += rest;
            self.is_alone = true;
        }
        (self.left, self.asked_at) = (Some(0), now);
    }
}

fn has_passed(span: Duration, since: Timestamp, now: Timestamp) -> bool {
    u128::from(now.millis().abs_diff(since.millis())) >= span.as_millis()
}

impl Rates {
    pub(super) fn new(budgets: Arc<Budgets>) -> Self {
        Self { budgets, windows: Shards::new() }
    }

    /// Counts requests of the token, and returns what is left of its window.
    pub(super) async fn spend(
        self: &Arc<Self>,
        token: TokenId,
        limit: RateLimit,
        cost: u32,
    ) -> Result<RateLeft, SpendError> {
        let cost = u64::from(cost);
        let mut queued = None;
        loop {
            match self.step(token, limit, cost) {
                Step::Spent(left) => return Ok(left),
                Step::SpentLast(left, lease) => {
                    // If that fails, those who need the portion see it.
                    let _ = lease.await;
                    return Ok(left);
                }
                Step::Refused(left) => return Err(rate_limited(left).into()),
                Step::Wait(lease) => {
                    queued.get_or_insert_with(|| Queued::new(self, token, cost));
                    if let Err(error) = lease.await {
                        if !self.budgets.is_done_without(&error) {
                            return Err(not_spent(for_one(error)));
                        }
                        self.be_alone(token);
                    }
                }
            }
        }
    }

    fn step(self: &Arc<Self>, token: TokenId, limit: RateLimit, cost: u64) -> Step {
        let now = self.budgets.clock.now();
        let mut windows = self.windows.lock(token);
        let window = windows.entry(token).or_insert_with(|| Window::new(limit, now));
        window.renew(limit, now);
        let lease = |window: &mut Window| {
            let current = window.lease.current();
            current.unwrap_or_else(|| window.lease.begin(Arc::clone(self).lease(token).boxed()))
        };
        if window.portion >= cost {
            window.portion -= cost;
            window.used_at = now;
            let (left, size) = (window.shown(now), window.size());
            let is_last = size >= FETCHED_AHEAD && window.portion < size / 4 && window.left != Some(0);
            return if is_last && window.lease.current().is_none() {
                Step::SpentLast(left, lease(window))
            } else {
                Step::Spent(left)
            };
        }
        if window.known_left(now).is_some_and(|left| window.portion + left < cost) {
            return Step::Refused(window.shown(now));
        }
        Step::Wait(lease(window))
    }

    /// Takes a portion, large enough for those that wait.
    async fn lease(self: Arc<Self>, token: TokenId) -> Result<(), Arc<StoreError>> {
        let now = self.budgets.clock.now();
        let asked = self.windows.lock(token).get(&token).map(|window| {
            let wanted = window.size().max(window.waiting.saturating_sub(window.portion));
            (window.limit, u32::try_from(wanted).unwrap_or(u32::MAX))
        });
        let Some((limit, wanted)) = asked else { return Ok(()) };
        let leased = match self.budgets.store() {
            Ok(store) => self.budgets.note(store.lease_rate(token, &limit, wanted, now).await),
            Err(error) => Err(error),
        };
        let mut windows = self.windows.lock(token);
        let Some(window) = windows.get_mut(&token) else { return Ok(()) };
        window.lease.clear();
        let grant = leased.map_err(Arc::new)?;
        if window.limit == limit {
            window.add(grant, now);
        }
        Ok(())
    }

    fn be_alone(&self, token: TokenId) {
        let now = self.budgets.clock.now();
        if let Some(window) = self.windows.lock(token).get_mut(&token) {
            window.be_alone(now);
        }
    }

    /// Takes back that requests were counted.
    pub(super) fn refund(&self, token: TokenId, cost: u64) {
        if let Some(window) = self.windows.lock(token).get_mut(&token) {
            // Not where a new window has begun.
            window.portion = window.taken.min(window.portion + cost);
        }
    }

    pub(super) fn held(&self) -> u64 {
        self.windows.all().map(|windows| windows.values().map(|window| window.portion).sum::<u64>()).sum()
    }

    /// Gives the portions back that were not used for a while, and forgets windows that are over.
    pub(super) async fn return_idle(&self) -> Result<(), StoreError> {
        let now = self.budgets.clock.now();
        self.return_of(now, |window| has_passed(window.idle(), window.used_at, now)).await
    }

    /// Gives all portions back.
    pub(super) async fn return_all(&self) -> Result<(), StoreError> {
        self.return_of(self.budgets.clock.now(), |_| true).await
    }

    async fn return_of(&self, now: Timestamp, is_meant: impl Fn(&Window) -> bool) -> Result<(), StoreError> {
        let mut unused = Vec::new();
        for mut windows in self.windows.all() {
            windows.retain(|token, window| {
                let is_over = now >= window.ends || !window.limit.is_present(window.start, now);
                if !is_over && !window.is_alone && window.portion > 0 && is_meant(window) {
                    unused.push((*token, window.start, window.portion));
                    window.taken -= window.portion.min(window.taken);
                    // What is left is not known any more.
                    (window.portion, window.left) = (0, None);
                }
                !is_over || window.waiting > 0 || window.lease.current().is_some()
            });
        }
        if unused.is_empty() {
            return Ok(());
        }
        let store = self.budgets.store()?;
        let returned = unused.into_iter().map(async |(token, start, portion)| {
            self.budgets.note(store.return_rate(token, start, portion).await)
        });
        join_all(returned).await.into_iter().collect()
    }
}

/// A request that waits for a portion, so that the portion is large enough for it.
struct Queued<'r> {
    rates: &'r Rates,
    token: TokenId,
    cost: u64,
}

impl<'r> Queued<'r> {
    fn new(rates: &'r Rates, token: TokenId, cost: u64) -> Self {
        if let Some(window) = rates.windows.lock(token).get_mut(&token) {
            window.waiting += cost;
        }
        Self { rates, token, cost }
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        if let Some(window) = self.rates.windows.lock(self.token).get_mut(&self.token) {
            window.waiting = window.waiting.saturating_sub(self.cost);
        }
    }
}
