//! How often the store is asked about secrets that turn out to be nobody's.
//!
//! Somebody who sends a new guess with each request would else have the store asked as often as they like. A secret that
//! ends in the checksum of ours draws on a budget of its own: who only guesses does not use up what real tokens need.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use latchkey_domain::TokenSecret;

/// So many guesses reach the store in one second, of each sort.
pub(crate) const MOST_A_SECOND: u32 = 500;

/// What is left in the present second, for each sort of secret.
#[derive(Debug, Default)]
pub(crate) struct LookupBudget {
    well_formed: Window,
    other: Window,
}

/// The present second in the upper half, how much was spent in it in the lower.
#[derive(Debug, Default)]
struct Window(AtomicU64);

impl LookupBudget {
    fn window(&self, secret: &TokenSecret) -> &Window {
        if secret.has_valid_checksum() { &self.well_formed } else { &self.other }
    }

    /// Whether the store may be asked about this secret now.
    pub(crate) fn has_room(&self, secret: &TokenSecret, now: Duration) -> bool {
        self.window(secret).spent(now) < MOST_A_SECOND
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

    fn secret(text: &str) -> TokenSecret {
        TokenSecret::parse(text).expect("a secret")
    }

    #[test]
    fn a_second_has_its_budget_and_the_next_a_new_one() {
        let budget = LookupBudget::default();
        let guess = secret("guess");
        let now = Duration::from_millis(7_900);
        for _ in 0..MOST_A_SECOND {
            assert!(budget.has_room(&guess, now));
            budget.spend(&guess, now);
        }
        assert!(!budget.has_room(&guess, now));
        assert!(budget.has_room(&guess, Duration::from_secs(8)));
    }

    #[test]
    fn guesses_do_not_use_up_what_real_tokens_need() {
        let budget = LookupBudget::default();
        for _ in 0..MOST_A_SECOND {
            budget.spend(&secret("guess"), Duration::ZERO);
        }
        assert!(!budget.has_room(&secret("another-guess"), Duration::ZERO));
        assert!(budget.has_room(&TokenSecret::mint_personal([1; 24]), Duration::ZERO));
    }
}
