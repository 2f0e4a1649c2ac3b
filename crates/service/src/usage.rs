//! When tokens were last used: recorded in memory on the request's path, written to the store in batches off it.
//!
//! Each thread records into a map of its own, so that verifications on different cores do not wait for each other.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use latchkey_domain::{PersonalTokenId, Principal, Timestamp, TokenId, UserCredential};
use latchkey_ports::{PersonalTokenRepository, StoreError, TokenRepository};
use thread_local::ThreadLocal;

/// Rows that are written by one call to the store, so that no statement runs for long, however many tokens are in use.
const MAX_ROWS: usize = 1_000;

/// Portions that may fail one after the other before a flush gives up: the store is most likely away.
const MAX_FAILURES_IN_A_ROW: usize = 3;

/// The last uses that are not yet written; at most one per token and thread, so bounded by the tokens in use.
#[derive(Default)]
pub struct UsageRecorder {
    tokens: LastUses<TokenId>,
    personal_tokens: LastUses<PersonalTokenId>,
}

impl UsageRecorder {
    /// Records that the principal's token authenticated.
    pub fn record_use(&self, principal: &Principal, at: Timestamp) {
        match principal {
            Principal::ApiToken { id, .. } => self.tokens.record(*id, at),
            Principal::User { credential: UserCredential::PersonalToken(id), .. } => {
                self.personal_tokens.record(*id, at);
            }
            // The store records a sign-in when the session begins.
            Principal::User { credential: UserCredential::Session(_), .. } => {}
        }
    }

    /// Forgets what was recorded, for a process that cannot write it, and returns the number of tokens.
    pub fn discard(&self) -> usize {
        self.tokens.discard() + self.personal_tokens.discard()
    }

    /// Writes what was recorded, at most 1,000 rows per call to the store. To be called at intervals and at shutdown;
    /// between two calls a token costs no more than one written row, however often it was used.
    ///
    /// A portion that fails is kept for the next flush, and the remaining portions are still written, unless several in
    /// a row fail. Returns the number of written rows.
    ///
    /// # Errors
    /// The first [`StoreError`]. Whatever was not written is kept, also where this future is dropped half-way.
    pub async fn flush(
        &self,
        tokens: &dyn TokenRepository,
        personal_tokens: &dyn PersonalTokenRepository,
    ) -> Result<usize, StoreError> {
        let api = self.tokens.flush(|rows| async move { tokens.record_token_use(&rows).await }).await;
        let personal = self
            .personal_tokens
            .flush(|rows| async move { personal_tokens.record_personal_token_use(&rows).await });
        let personal = personal.await;
        Ok(api? + personal?)
    }
}

/// The last uses of one sort of token.
struct LastUses<K: Send>(ThreadLocal<Shard<K>>);

/// The last uses that one thread recorded. The lock is only ever contended by a flush. Two cache lines apart from the
/// next shard, because processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Shard<K>(Mutex<HashMap<K, Timestamp>>);

impl<K: Send> Default for LastUses<K> {
    fn default() -> Self {
        Self(ThreadLocal::new())
    }
}

impl<K> Shard<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Copy + Send> LastUses<K> {
    fn record(&self, key: K, at: Timestamp) {
        let shard = self.0.get_or(|| Shard(Mutex::default()));
        shard.lock().entry(key).and_modify(|kept| *kept = at.max(*kept)).or_insert(at);
    }

    /// Takes all that is recorded, each token once.
    fn take(&self) -> Unwritten<'_, K> {
        let mut merged = HashMap::new();
        for shard in &self.0 {
            // A statement of its own, so that requests do not wait while the entries are copied.
            let taken = std::mem::take(&mut *shard.lock());
            for (key, at) in taken {
                merged.entry(key).and_modify(|kept| *kept = at.max(*kept)).or_insert(at);
            }
        }
        Unwritten { uses: self, waiting: merged.into_iter().collect(), failed: Vec::new() }
    }

    fn discard(&self) -> usize {
        let mut taken = self.take();
        std::mem::take(&mut taken.waiting).len()
    }

    /// Writes what is recorded and returns the number of rows.
    async fn flush<F>(&self, write: impl Fn(Vec<(K, Timestamp)>) -> F) -> Result<usize, StoreError>
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
/// flush is abandoned half-way, as it is when the server stops: a row written twice does no harm, a lost one does.
///
/// Their order is that of a hash map with a seed of its own, so from one flush to the next a row that cannot be written
/// shares its portion with different rows.
struct Unwritten<'u, K: Eq + Hash + Copy + Send> {
    uses: &'u LastUses<K>,
    waiting: Vec<(K, Timestamp)>,
    failed: Vec<(K, Timestamp)>,
}

impl<K: Eq + Hash + Copy + Send> Unwritten<'_, K> {
    fn rest(&self) -> usize {
        self.waiting.len().saturating_sub(MAX_ROWS)
    }

    fn portion(&self) -> Option<&[(K, Timestamp)]> {
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

impl<K: Eq + Hash + Copy + Send> Drop for Unwritten<'_, K> {
    fn drop(&mut self) {
        for (key, at) in self.waiting.drain(..).chain(self.failed.drain(..)) {
            self.uses.record(key, at);
        }
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
        let uses = LastUses::default();
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
        let uses = LastUses::default();
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
        let uses = LastUses::default();
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
        let uses = LastUses::default();
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
        let uses = LastUses::default();
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
