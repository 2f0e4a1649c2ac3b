//! The use of tokens: recorded in memory on the request's path, written to the store in batches off it. That is when each token was
//! last used, how often with which outcome in which hour, and from where.
//!
//! Each thread records into maps of its own, so that verifications on different cores do not wait for each other.

mod record;
mod tally;

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use latchkey_domain::{PersonalTokenId, Principal, Timestamp, TokenId, UseOutcome, UserCredential};
use latchkey_ports::{PersonalTokenRepository, StoreError, TokenRepository, UsageRepository};
use thread_local::ThreadLocal;

use self::{record::Record, tally::Tally};
use crate::first_uses::FirstUses;

/// Rows that are written by one call to the store, so that no statement runs for long, however many tokens are in use.
const MAX_ROWS: usize = 1_000;

/// Portions that may fail one after the other before a flush gives up: the store is most likely away.
const MAX_FAILURES_IN_A_ROW: usize = 3;

/// What is not yet written; at most one record per token and thread, so bounded by the tokens in use.
#[derive(Default)]
pub struct UsageRecorder {
    tokens: Records<TokenId, Timestamp>,
    personal_tokens: Records<PersonalTokenId, Timestamp>,
    tallies: Records<TokenId, Tally>,
    keeps_addresses: bool,
    first_uses: FirstUses,
}

impl UsageRecorder {
    /// Returns a recorder that keeps the addresses from which tokens are used, or does not.
    pub fn new(keeps_addresses: bool) -> Self {
        Self { keeps_addresses, ..Self::default() }
    }

    /// Records what became of a use of the principal's token, and from where it came, if that is known.
    pub fn record_use(
        &self,
        principal: &Principal,
        at: Timestamp,
        outcome: UseOutcome,
        address: Option<IpAddr>,
    ) {
        match principal {
            Principal::ApiToken { id, .. } => {
                if outcome.is_authentication() {
                    self.tokens.record(*id, at);
                    if let Some((token, rotation)) = principal.pending_rotation() {
                        self.first_uses.note(token, rotation, at);
                    }
                }
                let address = address.filter(|_| self.keeps_addresses);
                self.tallies.record(*id, Tally::of(at, outcome, address));
            }
            Principal::User { credential: UserCredential::PersonalToken(id), .. } => {
                if outcome.is_authentication() {
                    self.personal_tokens.record(*id, at);
                }
            }
            // The store records a sign-in when the session begins.
            Principal::User { credential: UserCredential::Session(_), .. } => {}
        }
    }

    /// Returns the first uses of new secrets, with which the old ones end.
    pub(crate) fn first_uses(&self) -> &FirstUses {
        &self.first_uses
    }

    /// Forgets what was recorded, for a process that cannot write it, and returns the number of tokens.
    pub fn discard(&self) -> usize {
        self.tallies.discard();
        self.tokens.discard() + self.personal_tokens.discard()
    }

    /// Writes what was recorded, at most 1,000 tokens per call to the store. To be called at intervals and at shutdown;
    /// between two calls a token costs no more than one written row of each sort, however often it was used.
    ///
    /// A portion that fails is kept for the next flush, and the remaining portions are still written, unless several in
    /// a row fail. Returns the number of last uses that were written.
    ///
    /// # Errors
    /// The first [`StoreError`]. Whatever was not written is kept, also where this future is dropped half-way. If the store
    /// did write it and the answer was lost, it is counted twice.
    pub async fn flush(
        &self,
        tokens: &dyn TokenRepository,
        personal_tokens: &dyn PersonalTokenRepository,
        usage: &dyn UsageRepository,
    ) -> Result<usize, StoreError> {
        let api = self.tokens.flush(|rows| async move { tokens.record_token_use(&rows).await }).await;
        let personal = self
            .personal_tokens
            .flush(|rows| async move { personal_tokens.record_personal_token_use(&rows).await });
        let personal = personal.await;
        let tallies = self.tallies.flush(|rows| async move {
            let usage_of = rows.into_iter().map(|(token, tally)| tally.of_token(token));
            usage.record_usage(&usage_of.collect::<Vec<_>>()).await
        });
        let tallies = tallies.await;
        Ok(api? + personal? + tallies.map(|_| 0)?)
    }
}

/// What is recorded of tokens, by their ids.
struct Records<K: Send, V: Send>(ThreadLocal<Shard<K, V>>);

/// What one thread recorded. The lock is only ever contended by a flush. Two cache lines apart from the next shard, because
/// processors fetch them in pairs.
#[repr(align(128))]
struct Shard<K, V>(Mutex<HashMap<K, V>>);

impl<K: Send, V: Send> Default for Records<K, V> {
    fn default() -> Self {
        Self(ThreadLocal::new())
    }
}

impl<K, V> Shard<K, V> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Copy + Send, V: Record> Records<K, V> {
    fn record(&self, key: K, value: V) {
        let shard = self.0.get_or(|| Shard(Mutex::default()));
        add(&mut shard.lock(), key, value);
    }

    /// Takes all that is recorded, each token once.
    fn take(&self) -> Unwritten<'_, K, V> {
        let mut merged = HashMap::new();
        for shard in &self.0 {
            // A statement of its own, so that requests do not wait while the entries are copied.
            let taken = std::mem::take(&mut *shard.lock());
            for (key, value) in taken {
                add(&mut merged, key, value);
            }
        }
        Unwritten { records: self, waiting: merged.into_iter().collect(), failed: Vec::new() }
    }

    fn discard(&self) -> usize {
        let mut taken = self.take();
        std::mem::take(&mut taken.waiting).len()
    }

    /// Writes what is recorded and returns the number of rows.
    async fn flush<F>(&self, write: impl Fn(Vec<(K, V)>) -> F) -> Result<usize, StoreError>
    where
        F: Future<Output = Result<(), StoreError>>,
    {
        let mut unwritten = self.take();
        let (mut outcome, mut failures_in_a_row) = (Ok(unwritten.waiting.len()), 0);
        while failures_in_a_row < MAX_FAILURES_IN_A_ROW {
            let Some(portion) = unwritten.portion() else { break };
            match write(portion.to_vec()).await {
                Ok(()) => {
                    unwritten.drop_portion();
                    failures_in_a_row = 0;
                }
                Err(error) => {
                    unwritten.set_portion_aside();
                    failures_in_a_row += 1;
                    outcome = outcome.and(Err(error));
                }
            }
        }
        outcome
    }
}

/// Rows on their way to the store. Those that were not written are recorded again when this is dropped, also where the
/// flush is abandoned half-way, as it is when the server stops: a row written twice does less harm than a lost one.
///
/// Their order is that of a hash map with a seed of its own, so from one flush to the next a row that cannot be written
/// shares its portion with different rows.
struct Unwritten<'u, K: Eq + Hash + Copy + Send, V: Record> {
    records: &'u Records<K, V>,
    waiting: Vec<(K, V)>,
    failed: Vec<(K, V)>,
}

impl<K: Eq + Hash + Copy + Send, V: Record> Unwritten<'_, K, V> {
    fn rest(&self) -> usize {
        self.waiting.len().saturating_sub(MAX_ROWS)
    }

    fn portion(&self) -> Option<&[(K, V)]> {
        self.waiting.get(self.rest()..).filter(|portion| !portion.is_empty())
    }

    fn drop_portion(&mut self) {
        self.waiting.truncate(self.rest());
    }

    fn set_portion_aside(&mut self) {
        let rest = self.rest();
        self.failed.extend(self.waiting.drain(rest..));
    }
}

impl<K: Eq + Hash + Copy + Send, V: Record> Drop for Unwritten<'_, K, V> {
    fn drop(&mut self) {
        for (key, value) in self.waiting.drain(..).chain(self.failed.drain(..)) {
            self.records.record(key, value);
        }
    }
}

fn add<K: Eq + Hash, V: Record>(records: &mut HashMap<K, V>, key: K, value: V) {
    match records.entry(key) {
        Entry::Occupied(mut kept) => kept.get_mut().add(value),
        Entry::Vacant(vacant) => drop(vacant.insert(value)),
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::HashSet};

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).expect("in range")
    }

    fn away() -> StoreError {
        StoreError::Unavailable("the connection was refused".into())
    }

    #[test]
    fn uses_are_kept_until_they_are_written() {
        let uses = Records::default();
        uses.record(7, at(1));
        let taken = uses.take();
        // The token is used again while the store is being told, and then the flush is abandoned.
        uses.record(7, at(2));
        drop(taken);
        let mut taken = uses.take();
        assert_eq!(taken.waiting, [(7, at(2))], "the later of the two uses");
        taken.drop_portion();
        drop(taken);
        assert_eq!(uses.take().waiting, []);
    }

    #[test]
    fn uses_of_all_threads_are_merged() {
        let uses = Records::default();
        std::thread::scope(|scope| {
            for thread in 1..=4 {
                let uses = &uses;
                scope.spawn(move || (0..100).for_each(|key| uses.record(key, at(thread))));
            }
        });
        let taken = uses.take();
        assert_eq!(taken.waiting.len(), 100);
        assert!(taken.waiting.iter().all(|(_, last)| *last == at(4)));
    }

    #[tokio::test]
    async fn many_uses_are_written_in_bounded_portions() {
        let uses = Records::default();
        (0..100_500).for_each(|key| uses.record(key, at(1)));
        let (written, largest) = (RefCell::new(HashSet::new()), RefCell::new(0));
        let write = async |rows: Vec<(i32, Timestamp)>| {
            let size = largest.replace(0).max(rows.len());
            largest.replace(size);
            for (key, _) in &rows {
                assert!(written.borrow_mut().insert(*key), "{key} is written once");
            }
            Ok(())
        };
        assert_eq!(uses.flush(write).await.expect("written"), 100_500);
        assert_eq!((written.borrow().len(), largest.take()), (100_500, MAX_ROWS));
    }

    #[tokio::test]
    async fn a_portion_that_fails_is_kept_and_the_others_are_written() {
        let uses = Records::default();
        (0..5_000).for_each(|key| uses.record(key, at(1)));
        // A row that another transaction holds: its portion fails, whichever rows it is written with.
        let is_held = |rows: &[(i32, Timestamp)]| rows.iter().any(|(key, _)| *key == 17);
        for expected in [1_000, 1_000] {
            let written = uses.flush(async |rows| if is_held(&rows) { Err(away()) } else { Ok(()) }).await;
            assert!(matches!(written, Err(StoreError::Unavailable(_))), "{written:?}");
            assert_eq!(uses.take().waiting.len(), expected, "no retry is larger than the attempt before");
        }
        uses.flush(async |rows| if rows.len() <= MAX_ROWS { Ok(()) } else { Err(away()) })
            .await
            .expect("written");
        assert_eq!(uses.take().waiting, []);
    }

    #[tokio::test]
    async fn a_store_that_is_away_is_not_asked_for_every_portion() {
        let uses = Records::default();
        (0..50_000).for_each(|key| uses.record(key, at(1)));
        let calls = RefCell::new(0);
        let write = async |_: Vec<(i32, Timestamp)>| {
            *calls.borrow_mut() += 1;
            Err(away())
        };
        assert!(uses.flush(write).await.is_err());
        assert_eq!(calls.take(), MAX_FAILURES_IN_A_ROW);
        assert_eq!(uses.take().waiting.len(), 50_000);
    }
}
