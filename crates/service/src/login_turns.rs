//! Attempts to sign in take turns, so that each sees the failures of those before it.
//!
//! To hash a password takes a while. Without turns, a hundred attempts at once would all be let in before the first of
//! them has failed.

use std::hash::{DefaultHasher, Hash, Hasher};

use latchkey_ports::LoginKey;
use tokio::sync::{Mutex, MutexGuard};

/// More than there are attempts under way at most times; those that share one by chance wait a little longer.
const SLOTS: u16 = 256;

/// A turn for each address, or, where none is known, for each account; in this process. Accounts have none that all
/// addresses share: whoever tried one from a thousand of them would keep its owner waiting. Processes that share a store do
/// not wait for each other: of attempts at once, each of them lets in one.
pub(crate) struct LoginTurns(Box<[Mutex<()>]>);

impl Default for LoginTurns {
    fn default() -> Self {
        Self((0..SLOTS).map(|_| Mutex::default()).collect())
    }
}

impl LoginTurns {
    /// Waits for the turn of whoever has these keys. It ends when the guard is dropped.
    pub(crate) async fn take(&self, keys: &[LoginKey]) -> Option<MutexGuard<'_, ()>> {
        let address = keys.iter().find(|key| matches!(key, LoginKey::Address(_)));
        let mutex = self.0.get(slot(address.or(keys.first())?))?;
        Some(mutex.lock().await)
    }
}

fn slot(key: &LoginKey) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    usize::try_from(hasher.finish() % u64::from(SLOTS)).unwrap_or(0)
}
