//! Numbers for operators: from where callers were recognised, and how the index of principals does.

use std::time::Duration;

use crate::sharded_counter::ShardedCounter;

/// The numbers at one moment; counts are since the start of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metrics {
    /// Credentials that were answered from memory, good or not.
    pub from_memory: u64,
    /// Credentials that the store was asked about, and answered.
    pub from_store: u64,
    /// Credentials that were answered from memory that was older than it should be, because the store could not be asked.
    pub from_stale_memory: u64,
    /// Credentials that the store was not asked about, because too many unknown ones were tried in that second.
    pub refused_unknown: u64,
    /// Principals in the index.
    pub principals: usize,
    /// Secrets in the index that are known to be nobody's.
    pub nobodies: usize,
    /// How long ago the changes made by other processes were last known to be all known; `None` = never yet.
    pub feed_age: Option<Duration>,
}

/// Where answers came from.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) from_memory: ShardedCounter,
    pub(crate) from_store: ShardedCounter,
    pub(crate) from_stale_memory: ShardedCounter,
    pub(crate) refused_unknown: ShardedCounter,
}
