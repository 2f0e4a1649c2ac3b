//! The in-memory index of principals: who a secret's digest is, without asking the store (design, "Verification").
//!
//! Each entry carries the moment, on a clock of changes, at which the store was asked. A change moves that clock on and
//! notes the new moment where it has an [`Effect`]: for one token (in one of many slots, by the token's id), for all
//! users, for secrets that were nobody's, or for everything. An entry is used only if it is younger than all that
//! concern it. A change made by this process is noted before its answer is sent; one made elsewhere, when the feed of
//! events shows it. There is no order of events in which a revoked token stays in the index: an answer of the store that
//! raced a change was asked for before it, and so is too old the moment that it is kept.
//!
//! The index answers only while the feed was followed within `max_staleness`; else, and where nobody follows the feed,
//! every look-up goes to the store. What it answers where the store cannot be asked either, [`WhenStale`] decides.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use latchkey_domain::{EventId, NewEvent, Principal};
use latchkey_ports::{Clock, EventRepository, SecretDigest, StoreError};
use quick_cache::sync::Cache;

use crate::{
    change_clock::{ChangeClock, Moment},
    effect::Effect,
};

/// Whether tokens are verified from memory that is older than `max_staleness` while the store cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenStale {
    /// No: nobody can know whether they are still good.
    Refuse,
    /// Yes, those that were good by all that is known.
    Serve,
}

/// How large the index may grow, how old its knowledge may be, and how often the store is asked where it knows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexSettings {
    /// The most principals that it holds, and the most secrets that it knows to be nobody's (`verify.cache_entries`).
    pub capacity: usize,
    /// How long it answers after the feed was last followed (`verify.max_staleness`).
    pub max_staleness: Duration,
    /// What happens after that where the store cannot be asked (`verify.when_stale`).
    pub when_stale: WhenStale,
    /// How many secrets that turn out to be nobody's the store is asked about in one second, of each of two sorts
    /// (`verify.unknown_per_second`).
    pub unknown_per_second: u32,
}

/// What the index knows of a secret.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    /// Whose it is.
    Principal(Arc<Principal>),
    /// That it is nobody's.
    Nobody,
}

#[derive(Clone)]
struct Entry {
    principal: Arc<Principal>,
    asked_at: Moment,
}

/// So many events are looked at one by one; more at once mean "anything may have changed".
const MAX_EVENTS: u32 = 1_000;

/// Digest → principal, bounded.
pub struct PrincipalIndex {
    principals: Cache<SecretDigest, Entry>,
    /// Apart from the principals, so that a flood of guesses pushes out none of them.
    nobodies: Cache<SecretDigest, Moment>,
    clock: Arc<dyn Clock>,
    settings: IndexSettings,
    changes: ChangeClock,
    followed: AtomicI64,
    /// Whether the store could not be asked when the feed was to be followed for the last time.
    is_cut_off: AtomicBool,
    /// Milliseconds of the monotonic clock, plus one; 0 = the feed was never followed.
    confirmed_at: AtomicU64,
}

/// A look at the feed. When it ends, also by being given up, it notes whether it was in vain.
struct Look<'i> {
    is_cut_off: &'i AtomicBool,
    was_in_vain: bool,
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        self.is_cut_off.store(self.was_in_vain, Ordering::SeqCst);
    }
}

impl PrincipalIndex {
    /// An empty index.
    #[must_use]
    pub fn new(settings: IndexSettings, clock: Arc<dyn Clock>) -> Self {
        Self {
            principals: Cache::new(settings.capacity),
            nobodies: Cache::new(settings.capacity),
            clock,
            settings,
            changes: ChangeClock::new(),
            followed: AtomicI64::new(-1),
            is_cut_off: AtomicBool::new(false),
            confirmed_at: AtomicU64::new(0),
        }
    }

    /// What was decided about it.
    pub(crate) fn settings(&self) -> IndexSettings {
        self.settings
    }

    /// Notes a change, of which this is the event. To be called after the change was committed, before anybody is told.
    pub fn note(&self, event: &NewEvent) {
        self.changes.note(Effect::of(event));
    }

    /// Looks once whether anything changed anywhere, and notes what did. To be called again and again, at intervals
    /// well below `max_staleness`, by one caller at a time. A look that is given up half-way counts as one at a store that
    /// could not be asked.
    ///
    /// # Errors
    /// [`StoreError`]; the index stops answering once that has lasted `max_staleness`.
    pub async fn follow(&self, events: &dyn EventRepository) -> Result<(), StoreError> {
        let mut look = Look { is_cut_off: &self.is_cut_off, was_in_vain: true };
        let followed = self.look_at(events).await;
        look.was_in_vain = matches!(followed, Err(StoreError::Unavailable(_)));
        followed
    }

    async fn look_at(&self, events: &dyn EventRepository) -> Result<(), StoreError> {
        let asked_at = self.millis();
        let EventId(latest) = events.latest_event().await?;
        let followed = self.followed.load(Ordering::SeqCst);
        if latest != followed {
            self.catch_up(events, EventId(followed), EventId(latest)).await?;
            self.followed.store(latest, Ordering::SeqCst);
        }
        self.confirmed_at.store(asked_at + 1, Ordering::SeqCst);
        Ok(())
    }

    async fn catch_up(
        &self,
        events: &dyn EventRepository,
        followed: EventId,
        latest: EventId,
    ) -> Result<(), StoreError> {
        let is_known = followed.0 >= 0 && followed < latest;
        if !is_known || latest.0 - followed.0 > i64::from(MAX_EVENTS) {
            self.changes.note(Effect::Everything);
            return Ok(());
        }
        let new = events.events_after(followed, MAX_EVENTS).await?;
        // Fewer than there must have been: somebody forgot old ones. What they said, nobody knows any more. (Or a number was
        // never used, which is rare and costs no more than to look everything up again.)
        let found = new.iter().filter(|event| event.id <= latest).count();
        if i64::try_from(found).unwrap_or(0) < latest.0 - followed.0 {
            self.changes.note(Effect::Everything);
        }
        for event in &new {
            self.note(&event.record);
        }
        Ok(())
    }

    pub(crate) fn now(&self) -> Moment {
        self.changes.now()
    }

    /// What is known of this digest, if the knowledge is fresh.
    pub(crate) fn get(&self, digest: &SecretDigest) -> Option<Known> {
        if !self.is_fresh() {
            return None;
        }
        if let Some(entry) = self.principals.get(digest) {
            return self
                .changes
                .is_valid(&entry.principal, entry.asked_at)
                .then_some(Known::Principal(entry.principal));
        }
        let asked_at = self.nobodies.get(digest)?;
        self.changes.is_still_nobody(asked_at).then_some(Known::Nobody)
    }

    /// The principal of this digest by all changes that are known, however long ago that was; nobody where that may not be
    /// served, or where the feed was never followed.
    pub(crate) fn get_stale(&self, digest: &SecretDigest) -> Option<Arc<Principal>> {
        if self.settings.when_stale == WhenStale::Refuse || self.feed_age().is_none() {
            return None;
        }
        let entry = self.principals.get(digest)?;
        self.changes.is_valid(&entry.principal, entry.asked_at).then_some(entry.principal)
    }

    /// Whether the store is known to be away: then no request has to wait to find that out.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.is_cut_off.load(Ordering::SeqCst)
    }

    /// Keeps what the store said when it was asked at that moment.
    pub(crate) fn keep(&self, digest: SecretDigest, known: &Known, asked_at: Moment) {
        match known {
            Known::Principal(principal) => {
                self.principals.insert(digest, Entry { principal: Arc::clone(principal), asked_at });
            }
            Known::Nobody => {
                // What was somebody's until now would hide that.
                self.principals.remove(&digest);
                self.nobodies.insert(digest, asked_at);
            }
        }
    }

    /// Forgets whose digest it is, so that the store is asked the next time.
    pub(crate) fn forget(&self, digest: &SecretDigest) {
        self.principals.remove(digest);
    }

    /// How long ago all changes were known; `None` = never yet.
    pub(crate) fn feed_age(&self) -> Option<Duration> {
        let confirmed = self.confirmed_at.load(Ordering::SeqCst).checked_sub(1)?;
        Some(Duration::from_millis(self.millis().saturating_sub(confirmed)))
    }

    /// How many principals, and how many secrets that are nobody's, it holds.
    pub(crate) fn entries(&self) -> (usize, usize) {
        (self.principals.len(), self.nobodies.len())
    }

    fn is_fresh(&self) -> bool {
        self.feed_age().is_some_and(|age| age <= self.settings.max_staleness)
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.clock.monotonic().as_millis()).unwrap_or(u64::MAX - 1)
    }
}
