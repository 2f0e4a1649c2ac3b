//! Counts for operators: where authentications were answered from, and the state of the principal index.

use std::time::Duration;

use latchkey_domain::Reason;

use crate::sharded_counter::ShardedCounter;

/// A reading of all counts, which are since the start of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metrics {
    /// Credentials that were answered from the cache.
    pub from_memory: Answers,
    /// Credentials that were answered by the store.
    pub from_store: Answers,
    /// Credentials that were answered from a stale cache entry, because the store was unavailable.
    pub from_stale_memory: Answers,
    /// Credentials that were invalid without a lookup, because they cannot be a secret.
    pub malformed: u64,
    /// Credentials that were refused without a lookup, because their client had used up its budget.
    pub refused_unknown: u64,
    /// The cache of principals.
    pub principals: CacheState,
    /// The negative cache.
    pub unknown_secrets: CacheState,
    /// The most entries of each of the two caches.
    pub cache_capacity: usize,
    /// How long ago the change feed was last followed to its end; `None` = never yet.
    pub feed_age: Option<Duration>,
    /// How far the store is behind the one that is written to; `None` if it is no replica, or that is not known.
    pub replication_lag: Option<Duration>,
}

/// How many credentials were found valid and invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answers {
    pub valid: u64,
    pub invalid: u64,
}

impl Answers {
    /// Returns the number of all.
    #[must_use]
    pub fn total(self) -> u64 {
        self.valid + self.invalid
    }
}

/// The entries of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheState {
    pub entries: usize,
    /// Entries that were given up because it was full.
    pub evicted: u64,
}

/// The counters behind [`Metrics`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) from_memory: AnswerCounter,
    pub(crate) from_store: AnswerCounter,
    pub(crate) from_stale_memory: AnswerCounter,
    pub(crate) malformed: ShardedCounter,
    pub(crate) refused_unknown: ShardedCounter,
}

impl Counters {
    /// Returns the counter of the answers from a source.
    pub(crate) fn of(&self, source: Source) -> &AnswerCounter {
        match source {
            Source::Memory => &self.from_memory,
            Source::Store => &self.from_store,
            Source::StaleMemory => &self.from_stale_memory,
        }
    }
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Memory,
    Store,
    StaleMemory,
}

/// The counter behind [`Answers`].
#[derive(Debug, Default)]
pub(crate) struct AnswerCounter {
    valid: ShardedCounter,
    invalid: ShardedCounter,
}

impl AnswerCounter {
    pub(crate) fn count(&self, is_valid: bool) {
        if is_valid { self.valid.increment() } else { self.invalid.increment() }
    }

    pub(crate) fn total(&self) -> Answers {
        Answers { valid: self.valid.total(), invalid: self.invalid.total() }
    }
}

/// How many tokens were refused, by reason.
#[derive(Debug, Default)]
pub(crate) struct RefusalCounters([ShardedCounter; Reason::ALL.len()]);

impl RefusalCounters {
    pub(crate) fn count(&self, reason: Reason) {
        let counter = Reason::ALL.iter().zip(&self.0).find(|(counted, _)| **counted == reason);
        if let Some((_, counter)) = counter {
            counter.increment();
        }
    }

    pub(crate) fn totals(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.iter().zip(&self.0).map(|(reason, counter)| (*reason, counter.total()))
    }
}
