//! How often the store is asked about secrets that turn out to be nobody's.
//!
//! Somebody who sends a new guess with each request would else have the store asked as often as they like. A secret that
//! ends in the checksum of ours draws on a budget of its own: who only guesses does not use up what real tokens need.
//!
//! What is spent is known when the store has answered, so those that ask it at the same moment can exceed the budget by as
//! many as they are. To reserve it beforehand would refuse good tokens, when many come for the first time at once.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use latchkey_domain::TokenSecret;

/// What is left in the present second, for each sort of secret.
#[derive(Debug)]
pub(crate) struct LookupBudget {
    most: u32,
    well_formed: Window,
    other: Window,
}

/// The present second in the upper half, how much was spent in it in the lower.
#[derive(Debug, Default)]
struct Window(AtomicU64);

impl LookupBudget {
    /// A budget of so many in each second, of each sort.
    pub(crate) fn of(most: u32) -> Self {
        Self { most, well_formed: Window::default(), other: Window::default() }
    }

    fn window(&self, secret: &TokenSecret) -> &Window {
        if secret.has_valid_checksum() { &self.well_formed } else { &self.other }
    }

    /// Whether the store may be asked about this secret now.
    pub(crate) fn has_room(&self, secret: &TokenSecret, now: Duration) -> bool {
        self.window(secret).spent(now) < self.most
    }

    /// Notes that the secret was nobody's.
    pub(crate) fn spend(&self, secret: &TokenSecret, now: Duration) {
        self.window(secret).spend(now);
    }
}

impl Window {
    fn spent(&self, now: Duration) -> u32 {
        let packed = self.0.load(Ordering::Relaxed);
        if packed >> 32 == second(now) { lower_half(packed) } else { 0 }
    }

    fn spend(&self, now: Duration) {
        let second = second(now);
        let one_more = |packed: u64| {
            let spent = if packed >> 32 == second { lower_half(packed) } else { 0 };
            Some(second << 32 | u64::from(spent.saturating_add(1)))
        };
        // It never answers "do not change", so it never fails.
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok();
    }
}

fn second(now: Duration) -> u64 {
    now.as_secs() & u64::from(u32::MAX)
}

fn lower_half(packed: u64) -> u32 {
    u32::try_from(packed & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u32 = 3;

    fn secret(text: &str) -> TokenSecret {
        TokenSecret::parse(text).expect("a secret")
    }

    #[test]
    fn a_second_has_its_budget_and_the_next_a_new_one() {
        let budget = LookupBudget::of(MAX);
        let guess = secret("guess");
        let now = Duration::from_millis(7_900);
        for _ in 0..MAX {
            assert!(budget.has_room(&guess, now));
            budget.spend(&guess, now);
        }
        assert!(!budget.has_room(&guess, now));
        assert!(budget.has_room(&guess, Duration::from_secs(8)));
    }

    #[test]
    fn guesses_do_not_use_up_what_real_tokens_need() {
        let budget = LookupBudget::of(MAX);
        for _ in 0..MAX {
            budget.spend(&secret("guess"), Duration::ZERO);
        }
        assert!(!budget.has_room(&secret("another-guess"), Duration::ZERO));
        assert!(budget.has_room(&TokenSecret::mint_personal([1; 24]), Duration::ZERO));
    }
}
