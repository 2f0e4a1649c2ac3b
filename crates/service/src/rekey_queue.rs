//! Secrets that were used and are still under an older master key: queued on the request's path, moved to the current
//! key in batches off it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use latchkey_ports::{KeyId, MasterKeyRepository, Rekeying, SecretDigest, StoreError};

/// Rekeyings that are written at once, so that other writers do not wait for long.
const BATCH: usize = 500;

/// A bounded queue of rekeyings, at most one per secret.
pub(crate) struct RekeyQueue {
    capacity: usize,
    queued: Mutex<HashMap<SecretDigest, Queued>>,
}

/// A rekeying, and the key that the secret is under.
type Queued = (KeyId, Rekeying);

/// Rekeyings on their way to the store. Those that were not written are queued again when this is dropped, also where
/// the flush is abandoned half-way, as it is when the server stops: writing one twice does no harm.
struct Unwritten<'q> {
    queue: &'q RekeyQueue,
    rest: Vec<Queued>,
}

impl Drop for Unwritten<'_> {
    fn drop(&mut self) {
        let mut queued = self.queue.lock();
        // They had room before, so they may exceed the capacity for a moment if others came in the meantime.
        queued.extend(self.rest.drain(..).map(|one| (one.1.from, one)));
    }
}

impl RekeyQueue {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, queued: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SecretDigest, Queued>> {
        self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues the rekeying of a secret that is under this key. Returns `false` if there is no room.
    pub(crate) fn push(&self, key: KeyId, rekeying: Rekeying) -> bool {
        let mut queued = self.lock();
        let has_room = queued.len() < self.capacity || queued.contains_key(&rekeying.from);
        if has_room {
            queued.insert(rekeying.from, (key, rekeying));
        }
        has_room
    }

    /// Writes those that are under these keys, drops the others, and passes the new digest of each secret that the
    /// store skipped to `on_skipped`.
    ///
    /// # Errors
    /// As [`MasterKeyRepository::rekey_secrets`]. What was not written stays queued, also where this future is dropped
    /// half-way.
    pub(crate) async fn flush(
        &self,
        store: &dyn MasterKeyRepository,
        older: &[KeyId],
        on_skipped: impl Fn(&SecretDigest),
    ) -> Result<(), StoreError> {
        // A statement of its own, so that requests do not wait while the entries are copied.
        let queued = std::mem::take(&mut *self.lock());
        let rest = queued.into_values().filter(|(key, _)| older.contains(key)).collect();
        let mut unwritten = Unwritten { queue: self, rest };
        while !unwritten.rest.is_empty() {
            let stay = unwritten.rest.len().saturating_sub(BATCH);
            let batch: Vec<_> =
                unwritten.rest.iter().skip(stay).map(|(_, rekeying)| rekeying.clone()).collect();
            let done = store.rekey_secrets(&batch).await?;
            let skipped = batch.iter().filter(|rekeying| !done.contains(&rekeying.from));
            skipped.for_each(|rekeying| on_skipped(&rekeying.to.digest));
            unwritten.rest.truncate(stay);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use latchkey_domain::PersonalTokenId;
    use latchkey_ports::{MockMasterKeyRepository, SecretOf, SecretRecord};

    use super::*;

    const OLD: KeyId = KeyId([9; 4]);

    fn rekeying(number: u16) -> Rekeying {
        let digest = |first: u8| {
            let mut bytes = [first; 32];
            if let Some(two) = bytes.first_chunk_mut::<2>() {
                *two = number.to_be_bytes();
            }
            SecretDigest(bytes)
        };
        let to = SecretRecord { digest: digest(1), key: KeyId([1; 4]), sealed: None };
        Rekeying { of: SecretOf::PersonalToken(PersonalTokenId(number.into())), from: digest(0), to }
    }

    fn away() -> StoreError {
        StoreError::Unavailable("the connection was refused".into())
    }

    #[tokio::test]
    async fn unwritten_rekeyings_stay_queued_and_written_ones_do_not() {
        let queue = RekeyQueue::new(2_000);
        for number in 0..1_200 {
            assert!(queue.push(OLD, rekeying(number)) && queue.push(OLD, rekeying(number)));
        }
        let mut store = MockMasterKeyRepository::new();
        let all = |rekeyings: &[Rekeying]| Ok(rekeyings.iter().map(|rekeying| rekeying.from).collect());
        store.expect_rekey_secrets().times(1).returning(move |rekeyings| {
            assert_eq!(rekeyings.len(), BATCH);
            all(rekeyings)
        });
        store.expect_rekey_secrets().times(1).returning(|_| Err(away()));
        assert!(queue.flush(&store, &[OLD], |_| unreachable!("all were done")).await.is_err());
        assert_eq!(queue.lock().len(), 700);
        let mut store = MockMasterKeyRepository::new();
        store.expect_rekey_secrets().times(2).returning(move |rekeyings| all(rekeyings));
        queue.flush(&store, &[OLD], |_| unreachable!("all were done")).await.expect("written");
        // An empty queue does not call the store.
        queue.flush(&MockMasterKeyRepository::new(), &[OLD], |_| ()).await.expect("nothing to write");
    }

    #[tokio::test]
    async fn skipped_secrets_are_reported_by_their_new_digest() {
        let queue = RekeyQueue::new(2);
        assert!(queue.push(OLD, rekeying(1)) && queue.push(OLD, rekeying(2)));
        assert!(!queue.push(OLD, rekeying(3)), "there is no room");
        assert!(queue.push(OLD, rekeying(2)), "it is queued already");
        let mut store = MockMasterKeyRepository::new();
        store.expect_rekey_secrets().times(1).returning(|_| Ok(vec![rekeying(1).from]));
        let named = Mutex::new(Vec::new());
        queue
            .flush(&store, &[OLD], |digest| named.lock().expect("no panic").push(*digest))
            .await
            .expect("written");
        assert_eq!(*named.lock().expect("no panic"), [rekeying(2).to.digest]);
        assert!(queue.push(OLD, rekeying(3)), "there is room again");
    }

    #[tokio::test]
    async fn rekeyings_of_other_keys_are_dropped() {
        let queue = RekeyQueue::new(2);
        assert!(queue.push(KeyId([8; 4]), rekeying(1)));
        queue.flush(&MockMasterKeyRepository::new(), &[OLD], |_| ()).await.expect("nothing to write");
        assert!(queue.lock().is_empty());
    }
}
