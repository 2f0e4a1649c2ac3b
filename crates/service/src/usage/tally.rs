//! What is counted of one token until it is written.

use std::net::IpAddr;

use latchkey_domain::{Hour, Timestamp, TokenId, UseOutcome};
use latchkey_ports::{SeenAddress, TokenUsage, UseCount};
use smallvec::{SmallVec, smallvec};

use super::record::Record;

/// The uses of one token. Most tokens are used with one outcome and from one address between two flushes, which needs no
/// memory of its own.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    counts: SmallVec<[UseCount; 1]>,
    /// At most [`SeenAddress::MAX`].
    addresses: SmallVec<[SeenAddress; 1]>,
}

impl Tally {
    /// Returns the tally of one use.
    pub(super) fn of(at: Timestamp, outcome: UseOutcome, address: Option<IpAddr>) -> Self {
        let seen = address.map(|address| SeenAddress { address, seen_at: at });
        Self {
            counts: smallvec![UseCount { hour: Hour::of(at), outcome, count: 1 }],
            addresses: seen.into_iter().collect(),
        }
    }

    /// Returns it as the store records it.
    pub(super) fn of_token(self, token: TokenId) -> TokenUsage {
        TokenUsage { token, counts: self.counts.into_vec(), addresses: self.addresses.into_vec() }
    }

    fn see(&mut self, seen: SeenAddress) {
        if let Some(kept) = self.addresses.iter_mut().find(|kept| kept.address == seen.address) {
            kept.seen_at = seen.seen_at.max(kept.seen_at);
            return;
        }
        self.addresses.push(seen);
        if self.addresses.len() > SeenAddress::MAX {
            let oldest = self.addresses.iter().enumerate().min_by_key(|(_, kept)| kept.seen_at);
            if let Some((oldest, _)) = oldest {
                self.addresses.swap_remove(oldest);
            }
        }
    }
}

impl Record for Tally {
    fn add(&mut self, other: Self) {
        for one in other.counts {
            let is_same = |kept: &&mut UseCount| (kept.hour, kept.outcome) == (one.hour, one.outcome);
            match self.counts.iter_mut().find(is_same) {
                Some(kept) => kept.count += one.count,
                None => self.counts.push(one),
            }
        }
        other.addresses.into_iter().for_each(|seen| self.see(seen));
    }
}

#[cfg(test)]
mod tests {
    use latchkey_domain::Reason;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).expect("in range")
    }

    fn from(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn uses_are_counted_by_hour_and_outcome() {
        const HOUR: i64 = 3_600_000;
        let refused = UseOutcome::Refused(Reason::WrongProject);
        let mut tally = Tally::of(at(1), UseOutcome::Verified, None);
        for (millis, outcome) in
            [(2, UseOutcome::Verified), (3, refused), (HOUR, UseOutcome::Verified), (4, UseOutcome::Verified)]
        {
            tally.add(Tally::of(at(millis), outcome, None));
        }
        let usage = tally.of_token(TokenId::new(at(0), [0; 10]));
        let counts: Vec<_> = usage.counts.iter().map(|one| (one.hour.0, one.outcome, one.count)).collect();
        assert_eq!(counts, [(0, UseOutcome::Verified, 3), (0, refused, 1), (1, UseOutcome::Verified, 1)]);
        assert_eq!(usage.addresses, []);
    }

    #[test]
    fn the_last_addresses_are_kept() {
        let mut tally = Tally::of(at(1), UseOutcome::Verified, Some(from(1)));
        for (millis, last) in [(2, 2), (3, 3), (4, 4), (5, 5), (6, 1), (7, 6)] {
            tally.add(Tally::of(at(millis), UseOutcome::Verified, Some(from(last))));
        }
        // One that was seen before all that are kept, as another thread may have it.
        tally.add(Tally::of(at(0), UseOutcome::Verified, Some(from(9))));
        let usage = tally.of_token(TokenId::new(at(0), [0; 10]));
        let mut seen: Vec<_> = usage.addresses.iter().map(|seen| (seen.seen_at, seen.address)).collect();
        seen.sort();
        assert_eq!(
            seen,
            [(at(3), from(3)), (at(4), from(4)), (at(5), from(5)), (at(6), from(1)), (at(7), from(6))]
        );
    }

    #[test]
    fn a_tally_is_small() {
        assert!(size_of::<Tally>() <= 96, "{}", size_of::<Tally>());
    }
}
