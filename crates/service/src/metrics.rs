//! Counts for operators: where authentications were answered from, and the state of the principal index.

use std::time::Duration;

use crate::sharded_counter::ShardedCounter;

/// A reading of all counts, which are since the start of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metrics {
    /// Credentials that were answered from the cache, valid or not.
    pub from_memory: u64,
    /// Credentials that were answered by the store.
    pub from_store: u64,
    /// Credentials that were answered from a stale cache entry, because the store was unavailable.
    pub from_stale_memory: u64,
    /// Credentials that were refused without a lookup, because their client had used up its budget.
    pub refused_unknown: u64,
    pub principals: usize,
    pub unknown_secrets: usize,
    /// How long ago the change feed was last followed to its end; `None` = never yet.
    pub feed_age: Option<Duration>,
}

/// The counters behind [`Metrics`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) from_memory: ShardedCounter,
    pub(crate) from_store: ShardedCounter,
    pub(crate) from_stale_memory: ShardedCounter,
    pub(crate) refused_unknown: ShardedCounter,
}
