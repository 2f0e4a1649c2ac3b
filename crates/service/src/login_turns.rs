//! Attempts to sign in take turns, so that each sees the failures of those before it.
//!
//! To hash a password takes a while. Without turns, a hundred attempts at once would all be let in before the first of
//! them has failed.

use std::hash::{DefaultHasher, Hash, Hasher};

use latchkey_ports::LoginKey;
use tokio::sync::{Mutex, MutexGuard};

/// More than there are attempts under way at most times; those that share one by chance wait a little longer.
const SLOTS: u16 = 256;

/// A turn for each account and each address, in this process. Processes that share a store do not wait for each other:
/// of attempts at once, each of them lets in one.
pub(crate) struct LoginTurns(Box<[Mutex<()>]>);

impl Default for LoginTurns {
    fn default() -> Self {
        Self((0..SLOTS).map(|_| Mutex::default()).collect())
    }
}

impl LoginTurns {
    /// Waits for the turn of all of these. It ends when the guards are dropped.
    pub(crate) async fn take(&self, keys: &[LoginKey]) -> Vec<MutexGuard<'_, ()>> {
        let mut slots: Vec<usize> = keys.iter().map(slot).collect();
        // In one order for everybody, so that two attempts cannot wait for each other.
        slots.sort_unstable();
        slots.dedup();
        let mut turns = Vec::with_capacity(slots.len());
        for slot in slots {
            if let Some(mutex) = self.0.get(slot) {
                turns.push(mutex.lock().await);
            }
        }
        turns
    }
}

fn slot(key: &LoginKey) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    usize::try_from(hasher.finish() % u64::from(SLOTS)).unwrap_or(0)
}
