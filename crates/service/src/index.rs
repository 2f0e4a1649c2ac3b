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

use latchkey_domain::{EventId, NewEvent, Principal, TokenId};
use latchkey_ports::{Clock, EventRepository, SecretDigest, StoreError};
use quick_cache::sync::Cache;

use crate::effect::Effect;

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
    /// The most principals that it holds, and the most secrets that it knows to be nobody's (`verify.entries`).
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

/// A moment on the clock of changes: when a look-up in the store began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

#[derive(Clone)]
struct Entry {
    principal: Arc<Principal>,
    asked_at: Moment,
}

/// So many tokens share a slot as there are tokens for each of these. A change to one has those in its slot looked up
/// again, once; with a million tokens that are some fifteen.
const SLOTS: usize = 1 << 16;
/// So many events are looked at one by one; more at once mean "anything may have changed".
const MOST_EVENTS: u32 = 1_000;

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

/// When what was last changed.
struct ChangeClock {
    now: AtomicU64,
    everything: AtomicU64,
    people: AtomicU64,
    births: AtomicU64,
    tokens: Box<[AtomicU64]>,
}

impl ChangeClock {
    fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            now: zero(),
            everything: zero(),
            people: zero(),
            births: zero(),
            tokens: std::iter::repeat_with(zero).take(SLOTS).collect(),
        }
    }

    fn now(&self) -> Moment {
        Moment(self.now.load(Ordering::SeqCst))
    }

    fn note(&self, effect: Effect) {
        if effect == Effect::Nothing {
            return;
        }
        // A look-up that begins from here on may have seen the change; one that began before may not.
        let moment = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        let note = |cell: &AtomicU64| cell.fetch_max(moment, Ordering::SeqCst);
        match effect {
            Effect::Nothing => {}
            Effect::Birth => drop(note(&self.births)),
            Effect::Token(id) => drop(self.slot(id).map(note)),
            Effect::Rebirth(id) => {
                note(&self.births);
                self.slot(id).map(note);
            }
            Effect::People => drop(note(&self.people)),
            Effect::SignIn => {
                note(&self.births);
                note(&self.people);
            }
            Effect::Everything => drop(note(&self.everything)),
        }
    }

    /// The last bytes of an id are random, so they spread tokens evenly.
    fn slot(&self, id: TokenId) -> Option<&AtomicU64> {
        let [.., high, low] = *id.as_uuid().as_bytes();
        self.tokens.get(usize::from(u16::from_be_bytes([high, low])))
    }

    fn is_valid(&self, entry: &Entry) -> bool {
        let newest = |cell: &AtomicU64| cell.load(Ordering::SeqCst);
        let concerned = match &*entry.principal {
            Principal::ApiToken { id, .. } => self.slot(*id).map_or(u64::MAX, newest),
            Principal::User { .. } => newest(&self.people),
        };
        entry.asked_at.0 >= concerned.max(newest(&self.everything))
    }

    fn is_still_nobody(&self, asked_at: Moment) -> bool {
        let newest = |cell: &AtomicU64| cell.load(Ordering::SeqCst);
        asked_at.0 >= newest(&self.births).max(newest(&self.everything))
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
    /// well below `max_staleness`, by one caller at a time.
    ///
    /// # Errors
    /// [`StoreError`]; the index stops answering once that has lasted `max_staleness`.
    pub async fn follow(&self, events: &dyn EventRepository) -> Result<(), StoreError> {
        let followed = self.look_at(events).await;
        self.is_cut_off.store(matches!(followed, Err(StoreError::Unavailable(_))), Ordering::SeqCst);
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
        if !is_known || latest.0 - followed.0 > i64::from(MOST_EVENTS) {
            self.changes.note(Effect::Everything);
            return Ok(());
        }
        let new = events.events_after(followed, MOST_EVENTS).await?;
        // Fewer than there must have been: somebody forgot old ones. What they said, nobody knows any more.
        if new.last().is_none_or(|last| last.id < latest) {
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
            return self.changes.is_valid(&entry).then_some(Known::Principal(entry.principal));
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
        self.changes.is_valid(&entry).then_some(entry.principal)
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
