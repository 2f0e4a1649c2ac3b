//! Turns for logins, so that each attempt sees the failures of those before it.
//!
//! Hashing a password takes a while. Without turns, a hundred concurrent attempts would all be admitted before the
//! first of them has failed.

use std::hash::{DefaultHasher, Hash, Hasher};

use latchkey_ports::LoginKey;
use tokio::sync::{Mutex, MutexGuard};

/// More than there are usually concurrent attempts; attempts that share a slot by chance wait a little longer.
const SLOTS: u16 = 256;

/// A turn for each address, or, where none is known, for each account; in this process. An account has no turn that all
/// addresses share: a thousand attempts from different addresses would keep its owner waiting. Processes that share a
/// store do not wait for each other: of concurrent attempts, each process admits one.
pub(crate) struct LoginTurns(Box<[Mutex<()>]>);

impl Default for LoginTurns {
    fn default() -> Self {
        Self((0..SLOTS).map(|_| Mutex::default()).collect())
    }
}

impl LoginTurns {
    /// Waits for the turn of these keys. It ends when the guard is dropped.
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
