//! The in-memory index of principals: who a secret's digest is, without asking the store (design, "Verification").
//!
//! An entry is as good as the generation it was read in. Every change that this process makes, and every change
//! that the feed of events shows another process made, begins a new generation, so an entry read before a change
//! is never used after it. The index answers only while the feed was followed within `max_staleness`; else, and
//! where nobody follows the feed, every look-up goes to the store.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use latchkey_domain::{EventId, Principal};
use latchkey_ports::{Clock, EventRepository, SecretDigest, StoreError};
use quick_cache::sync::Cache;

/// How large the index may grow, and how old its knowledge may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexSettings {
    /// The most principals that it holds (`verify.entries`).
    pub capacity: usize,
    /// How long it answers after the feed was last followed (`verify.max_staleness`).
    pub max_staleness: Duration,
}

struct Entry {
    principal: Arc<Principal>,
    generation: Generation,
}

/// What the index knew when a look-up in the store began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation(u64);

/// Digest → principal, bounded.
pub struct PrincipalIndex {
    entries: Cache<SecretDigest, Arc<Entry>>,
    clock: Arc<dyn Clock>,
    max_staleness: Duration,
    generation: AtomicU64,
    followed: AtomicI64,
    /// Milliseconds of the monotonic clock, plus one; 0 = the feed was never followed.
    confirmed_at: AtomicU64,
}

impl PrincipalIndex {
    /// An empty index.
    #[must_use]
    pub fn new(settings: IndexSettings, clock: Arc<dyn Clock>) -> Self {
        Self {
            entries: Cache::new(settings.capacity),
            clock,
            max_staleness: settings.max_staleness,
            generation: AtomicU64::new(0),
            followed: AtomicI64::new(-1),
            confirmed_at: AtomicU64::new(0),
        }
    }

    /// Begins a new generation: what was read before is not used any more. Called after each change.
    pub fn forget_all(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Looks once whether anything changed anywhere, and notes that it did. To be called again and again, at
    /// intervals well below `max_staleness`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; the index stops answering once that has lasted `max_staleness`.
    pub async fn follow(&self, events: &dyn EventRepository) -> Result<(), StoreError> {
        let asked_at = self.millis();
        let EventId(latest) = events.latest_event().await?;
        if self.followed.swap(latest, Ordering::SeqCst) != latest {
            self.forget_all();
        }
        self.confirmed_at.store(asked_at + 1, Ordering::SeqCst);
        Ok(())
    }

    pub(crate) fn generation(&self) -> Generation {
        Generation(self.generation.load(Ordering::SeqCst))
    }

    /// The principal of this digest, if the index knows and its knowledge is fresh.
    pub(crate) fn get(&self, digest: &SecretDigest) -> Option<Arc<Principal>> {
        if !self.is_fresh() {
            return None;
        }
        let entry = self.entries.get(digest)?;
        (entry.generation == self.generation()).then(|| Arc::clone(&entry.principal))
    }

    /// Keeps what the store said, under the generation in which it was asked.
    pub(crate) fn keep(&self, digest: SecretDigest, principal: Arc<Principal>, generation: Generation) {
        self.entries.insert(digest, Arc::new(Entry { principal, generation }));
    }

    fn is_fresh(&self) -> bool {
        match self.confirmed_at.load(Ordering::SeqCst) {
            0 => false,
            confirmed => {
                u128::from(self.millis().saturating_sub(confirmed - 1)) <= self.max_staleness.as_millis()
            }
        }
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.clock.monotonic().as_millis()).unwrap_or(u64::MAX - 1)
    }
}
