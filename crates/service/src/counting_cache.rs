//! A bounded cache by digest that counts what it evicts.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use latchkey_ports::SecretDigest;
use quick_cache::{DefaultHashBuilder, Lifecycle, UnitWeighter, sync::Cache};

use crate::CacheState;

/// The cache. All of its shards share one count, which only changes while the cache is full.
pub(crate) struct CountingCache<V: Clone> {
    entries: Cache<SecretDigest, V, UnitWeighter, DefaultHashBuilder, Evictions>,
    evictions: Evictions,
}

#[derive(Clone, Default)]
struct Evictions(Arc<AtomicU64>);

impl<V> Lifecycle<SecretDigest, V> for Evictions {
    type RequestState = ();

    /// Is not called, unlike `on_evict`, for a value that is replaced.
    fn before_evict(&self, (): &mut (), _: &SecretDigest, _: &mut V) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl<V: Clone> CountingCache<V> {
    pub(crate) fn new(capacity: usize) -> Self {
        let evictions = Evictions::default();
        let weight = u64::try_from(capacity).unwrap_or(u64::MAX);
        let entries =
            Cache::with(capacity, weight, UnitWeighter, DefaultHashBuilder::default(), evictions.clone());
        Self { entries, evictions }
    }

    pub(crate) fn get(&self, digest: &SecretDigest) -> Option<V> {
        self.entries.get(digest)
    }

    pub(crate) fn insert(&self, digest: SecretDigest, value: V) {
        self.entries.insert(digest, value);
    }

    pub(crate) fn remove(&self, digest: &SecretDigest) {
        self.entries.remove(digest);
    }

    pub(crate) fn state(&self) -> CacheState {
        CacheState { entries: self.entries.len(), evicted: self.evictions.0.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u16) -> SecretDigest {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_le_bytes());
        SecretDigest(bytes)
    }

    #[test]
    fn entries_that_are_given_up_are_counted_and_those_replaced_or_removed_are_not() {
        let cache = CountingCache::new(100);
        for _ in 0..2 {
            (0..10).for_each(|number| cache.insert(digest(number), number));
        }
        cache.remove(&digest(0));
        assert_eq!(cache.state(), CacheState { entries: 9, evicted: 0 });
        (1_000..2_000).for_each(|number| cache.insert(digest(number), number));
        let CacheState { entries, evicted } = cache.state();
        assert!(entries <= 100, "{entries}");
        assert_eq!(u64::try_from(entries).expect("few") + evicted, 1_009);
    }
}
