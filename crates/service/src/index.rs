//! The principal index: the in-memory cache from a secret's digest to its principal, which answers without the store.
//!
//! Each entry carries the tick of a [`ChangeClock`] at which its lookup in the store began. A change advances that
//! clock and marks what it invalidates ([`Invalidation`]) with the new tick: one token (in one of many slots, by the
//! token's id), all users, the negative cache of unknown secrets, or everything. An entry is used only if it is at
//! least as new as every mark that concerns it. A change made by this process is marked before its response is sent; a
//! change made elsewhere, when the change feed shows it. No order of events leaves a revoked token in the index: an
//! answer of the store that raced with a change belongs to a lookup that began before the change was marked, and so is
//! invalid as soon as it is cached. The feed may show changes in another order than that of their numbers; each is
//! marked when it becomes visible ([`FeedPosition`]), also one that was drawn long before. A page that may lack changes
//! invalidates everything, and so does a database that turns out to be another one.
//!
//! The index answers only if the feed was followed within `max_staleness`. Otherwise every lookup goes to the store;
//! what happens if the store is unavailable too, [`WhenStale`] decides.
//!
//! A replica of a store shows a state of the past, and each page of its feed says how long past ([`FeedPage::lag`]): the feed counts
//! as followed that much earlier. No lookup there is any fresher, so while the feed is too old the store counts as unavailable,
//! whatever it answers ([`Lookups::OfReplica`]).
//!
//! A lookup that is answered here writes to no memory that another thread uses, unless many tokens are used in turn;
//! see [`HotEntries`].

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use latchkey_domain::{NewEvent, Principal};
use latchkey_ports::{Clock, Continuity, EventRepository, FeedPage, FeedPosition, SecretDigest, StoreError};
use tokio::sync::watch;

use crate::{
    CacheState, EventNews,
    change_clock::{CacheTick, ChangeClock},
    counting_cache::CountingCache,
    hot_entries::{Entry, HotEntries},
    invalidation::Invalidation,
};

/// Whether tokens are verified from a cache that is older than `max_staleness` while the store is unavailable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenStale {
    /// No: they may have been revoked.
    Refuse,
    /// Yes, those that were valid when the feed was last followed.
    Serve,
}

/// What a lookup in the store is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookups {
    /// It shows the present state.
    Current,
    /// It is of a replica, and as fresh as the feed that was followed there.
    OfReplica,
}

/// The limits of the principal index and of lookups in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexSettings {
    /// The maximum number of principals, and of unknown secrets, that it holds (`verify.cache_entries`).
    pub capacity: usize,
    /// How long it answers after the feed was last followed (`verify.max_staleness`).
    pub max_staleness: Duration,
    /// What happens after that if the store is unavailable (`verify.when_stale`).
    pub when_stale: WhenStale,
    /// The maximum number of lookups of unknown secrets in the store per client and second
    /// (`verify.unknown_per_second`).
    pub unknown_per_second: u32,
    /// What lookups in the store are worth.
    pub lookups: Lookups,
}

/// Why nothing that a replica shows can be relied on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TooOld {
    #[error("it is not known how far the replica is behind")]
    Unknown,
    #[error("the replica may be {0:?} behind, more than verify.max_staleness allows")]
    Behind(Duration),
}

impl From<TooOld> for StoreError {
    fn from(error: TooOld) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

/// The result of looking a secret up.
#[derive(Debug, Clone)]
pub(crate) enum Lookup {
    Found(Arc<Principal>),
    Unknown,
}

/// The number of changes that are applied one by one; more at once invalidate everything.
const MAX_CHANGES: u32 = 1_000;

/// The bounded cache from digest to principal, with a negative cache of unknown secrets.
pub struct PrincipalIndex {
    principals: CountingCache<Entry>,
    hot: HotEntries,
    /// The negative cache. Separate from the principals, so that a flood of guesses evicts none of them.
    unknown: CountingCache<CacheTick>,
    clock: Arc<dyn Clock>,
    settings: IndexSettings,
    changes: ChangeClock,
    /// Where the feed is read on.
    position: Mutex<FeedPosition>,
    /// Whether the store was unavailable when the feed was last followed.
    is_cut_off: AtomicBool,
    /// The moment whose changes are all known, in milliseconds of the monotonic clock: negative for before its start, [`NEVER`]
    /// if the feed was never followed.
    confirmed_at: AtomicI64,
    /// Milliseconds by which the store was last behind.
    lag: AtomicU64,
    /// Notified of every change that becomes known.
    known_changes: watch::Sender<()>,
}

const NEVER: i64 = i64::MIN;

/// An attempt to follow the feed. When it ends, also by being dropped, it records whether the store was unavailable.
struct Attempt<'i> {
    is_cut_off: &'i AtomicBool,
    was_unavailable: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.is_cut_off.store(self.was_unavailable, Ordering::SeqCst);
    }
}

impl PrincipalIndex {
    /// Returns an empty index.
    pub fn new(settings: IndexSettings, clock: Arc<dyn Clock>) -> Self {
        Self {
            principals: CountingCache::new(settings.capacity),
            hot: HotEntries::default(),
            unknown: CountingCache::new(settings.capacity),
            clock,
            settings,
            changes: ChangeClock::new(),
            position: Mutex::default(),
            is_cut_off: AtomicBool::new(false),
            confirmed_at: AtomicI64::new(NEVER),
            lag: AtomicU64::new(0),
            known_changes: watch::Sender::new(()),
        }
    }

    pub(crate) fn settings(&self) -> IndexSettings {
        self.settings
    }

    /// Invalidates what the change of this event concerns. To be called after the change was committed and before its
    /// response is sent.
    pub fn invalidate(&self, event: &NewEvent) {
        self.changes.mark(Invalidation::of(event.kind, event.subject));
        self.known_changes.send_replace(());
    }

    /// Returns what is notified of changes, made here or elsewhere, as soon as they are known.
    pub(crate) fn news(&self) -> EventNews {
        EventNews::new(self.known_changes.subscribe())
    }

    /// Follows the feed once: applies the changes made elsewhere since the last time. To be called at intervals well
    /// below `max_staleness`, by one caller at a time. A call that is dropped half-way counts as one that found the
    /// store unavailable. Once calls have failed for `max_staleness`, the index stops answering.
    ///
    /// # Errors
    /// As [`EventRepository::changes_since`]; and [`StoreError::Unavailable`] if the store is a replica that is too far behind.
    pub async fn follow(&self, events: &dyn EventRepository) -> Result<(), StoreError> {
        let mut attempt = Attempt { is_cut_off: &self.is_cut_off, was_unavailable: true };
        let followed = self.follow_feed(events).await;
        attempt.was_unavailable = matches!(followed, Err(StoreError::Unavailable(_)));
        followed
    }

    async fn follow_feed(&self, events: &dyn EventRepository) -> Result<(), StoreError> {
        let started_at = self.millis();
        let position = self.position.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let page = events.changes_since(&position, MAX_CHANGES).await?;
        let FeedPage { changes, continuity, lag, position } = page;
        if continuity == Continuity::OtherHistory {
            // What is known of one course of events says nothing of another.
            self.confirmed_at.store(NEVER, Ordering::SeqCst);
            tracing::warn!(
                "the database is another one than before, or was restarted, restored or failed over: no cache entry from \
                 before is used any more"
            );
        }
        if continuity != Continuity::Unbroken {
            self.changes.mark(Invalidation::Everything);
        }
        let has_news = continuity != Continuity::Unbroken || !changes.is_empty();
        for change in changes {
            self.changes.mark(Invalidation::of(change.kind, change.subject));
        }
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = position;
        if has_news {
            self.known_changes.send_replace(());
        }
        let lag = i64::try_from(lag.as_millis()).unwrap_or(i64::MAX);
        self.lag.store(lag.unsigned_abs(), Ordering::SeqCst);
        // A page can be further behind than an earlier one, whose changes stay known.
        self.confirmed_at.fetch_max(started_at.saturating_sub(lag).max(NEVER + 1), Ordering::SeqCst);
        Ok(self.check_lookups()?)
    }

    /// Checks that lookups in the store show every change but those within `max_staleness`.
    pub(crate) fn check_lookups(&self) -> Result<(), TooOld> {
        if self.settings.lookups == Lookups::Current || self.is_fresh() {
            return Ok(());
        }
        let known = self.replication_lag().and_then(|_| self.feed_age());
        Err(known.map_or(TooOld::Unknown, TooOld::Behind))
    }

    /// As [`PrincipalIndex::check_lookups`], before a lookup: fails where even a stale one would be of no use.
    pub(crate) fn check_use_of_lookup(&self) -> Result<(), TooOld> {
        if self.settings.when_stale == WhenStale::Serve { Ok(()) } else { self.check_lookups() }
    }

    /// Returns the present tick, to be read before a lookup in the store.
    pub(crate) fn now(&self) -> CacheTick {
        self.changes.now()
    }

    /// Returns what is cached for this digest, if the index is fresh and the entry is valid.
    pub(crate) fn get(&self, digest: &SecretDigest) -> Option<Lookup> {
        if !self.is_fresh() {
            return None;
        }
        let is_valid = |entry: &Entry| self.changes.is_valid(&entry.principal, entry.looked_up_at);
        if let Some(entry) = self.hot.get_or(digest, is_valid, || self.principals.get(digest)) {
            return is_valid(&entry).then_some(Lookup::Found(entry.principal));
        }
        let looked_up_at = self.unknown.get(digest)?;
        self.changes.is_still_unknown(looked_up_at).then_some(Lookup::Unknown)
    }

    /// Returns the cached principal of this digest if no known change invalidates it, however long ago the feed was
    /// followed; `None` if the settings do not allow that, or if the feed was never followed.
    pub(crate) fn get_stale(&self, digest: &SecretDigest) -> Option<Arc<Principal>> {
        if self.settings.when_stale == WhenStale::Refuse || self.feed_age().is_none() {
            return None;
        }
        let entry = self.principals.get(digest)?;
        self.changes.is_valid(&entry.principal, entry.looked_up_at).then_some(entry.principal)
    }

    /// Whether the store is known to be unavailable, so that requests need not wait to find that out.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.is_cut_off.load(Ordering::SeqCst)
    }

    /// Caches the result of a lookup that began at that tick.
    pub(crate) fn insert(&self, digest: SecretDigest, lookup: &Lookup, looked_up_at: CacheTick) {
        match lookup {
            Lookup::Found(principal) => {
                self.principals.insert(digest, Entry { principal: Arc::clone(principal), looked_up_at });
            }
            Lookup::Unknown => {
                // An older entry with a principal would be found first.
                self.principals.remove(&digest);
                self.unknown.insert(digest, looked_up_at);
            }
        }
    }

    /// Removes the principal of this digest, so that it is looked up in the store again.
    pub(crate) fn remove(&self, digest: &SecretDigest) {
        self.principals.remove(digest);
        self.hot.clear();
    }

    /// Returns how long ago all changes were known; `None` if they never were.
    pub(crate) fn feed_age(&self) -> Option<Duration> {
        let confirmed =
            Some(self.confirmed_at.load(Ordering::SeqCst)).filter(|confirmed| *confirmed != NEVER)?;
        let age = self.millis().saturating_sub(confirmed);
        Some(Duration::from_millis(u64::try_from(age).unwrap_or(0)))
    }

    /// Returns how far the store was behind when the feed was last followed; `None` if it is no replica, or that is not known.
    pub(crate) fn replication_lag(&self) -> Option<Duration> {
        let lag = self.lag.load(Ordering::SeqCst);
        let is_known = lag < i64::MAX.unsigned_abs() && self.feed_age().is_some();
        (self.settings.lookups == Lookups::OfReplica && is_known).then(|| Duration::from_millis(lag))
    }

    /// Returns the state of the cache of principals and of the negative cache.
    pub(crate) fn caches(&self) -> (CacheState, CacheState) {
        (self.principals.state(), self.unknown.state())
    }

    fn is_fresh(&self) -> bool {
        self.feed_age().is_some_and(|age| age <= self.settings.max_staleness)
    }

    fn millis(&self) -> i64 {
        i64::try_from(self.clock.monotonic().as_millis()).unwrap_or(i64::MAX)
    }
}
