//! Secrets that were used and are still under an older master key: noted in memory on the request's path, put under the
//! current key in batches off it (decision 16).

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use latchkey_ports::{KeyId, MasterKeyRepository, Rekeying, SecretDigest, StoreError};

/// So many are written at once: others who write do not wait for more.
const BATCH: usize = 500;

/// The rekeyings not yet written, one for each secret, and a bounded number of them.
pub(crate) struct RekeyingLedger {
    most: usize,
    notes: Mutex<HashMap<SecretDigest, Note>>,
}

/// A secret that is to move, and the key that it is under.
type Note = (KeyId, Rekeying);

/// Notes on their way to the store. What has not arrived is put back, also where the writing is given up half-way, as it is
/// when the server stops: written twice is no harm.
struct Taken<'l> {
    ledger: &'l RekeyingLedger,
    left: Vec<Note>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut notes = self.ledger.notes();
        // They had room before, so there is some for a moment even where others came meanwhile.
        notes.extend(self.left.drain(..).map(|note| (note.1.from, note)));
    }
}

impl RekeyingLedger {
    pub(crate) fn of(most: usize) -> Self {
        Self { most, notes: Mutex::default() }
    }

    fn notes(&self) -> MutexGuard<'_, HashMap<SecretDigest, Note>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes one that is under this key, unless there is no room; says whether it is noted.
    pub(crate) fn note(&self, key: KeyId, rekeying: Rekeying) -> bool {
        let mut notes = self.notes();
        let has_room = notes.len() < self.most || notes.contains_key(&rekeying.from);
        if has_room {
            notes.insert(rekeying.from, (key, rekeying));
        }
        has_room
    }

    /// Writes all of those that are under these keys, drops the others, and names the new digests of those that the store
    /// passed over.
    ///
    /// # Errors
    /// As [`MasterKeyRepository::rekey_secrets`]; the notes are kept for the next time, as they are where this is dropped
    /// half-way.
    pub(crate) async fn flush(
        &self,
        store: &dyn MasterKeyRepository,
        older: &[KeyId],
        passed_over: impl Fn(&SecretDigest),
    ) -> Result<(), StoreError> {
        // A line of its own, so that requests do not wait while the notes are copied.
        let notes = std::mem::take(&mut *self.notes());
        let left = notes.into_values().filter(|(key, _)| older.contains(key)).collect();
        let mut taken = Taken { ledger: self, left };
        while !taken.left.is_empty() {
            let stay = taken.left.len().saturating_sub(BATCH);
            let batch: Vec<_> = taken.left.iter().skip(stay).map(|(_, rekeying)| rekeying.clone()).collect();
            let done = store.rekey_secrets(&batch).await?;
            let undone = batch.iter().filter(|rekeying| !done.contains(&rekeying.from));
            undone.for_each(|rekeying| passed_over(&rekeying.to.digest));
            taken.left.truncate(stay);
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
    async fn what_was_not_written_is_kept_and_the_rest_is_not_written_again() {
        let ledger = RekeyingLedger::of(2_000);
        for number in 0..1_200 {
            assert!(ledger.note(OLD, rekeying(number)) && ledger.note(OLD, rekeying(number)));
        }
        let mut store = MockMasterKeyRepository::new();
        let all = |rekeyings: &[Rekeying]| Ok(rekeyings.iter().map(|rekeying| rekeying.from).collect());
        store.expect_rekey_secrets().times(1).returning(move |rekeyings| {
            assert_eq!(rekeyings.len(), BATCH);
            all(rekeyings)
        });
        store.expect_rekey_secrets().times(1).returning(|_| Err(away()));
        assert!(ledger.flush(&store, &[OLD], |_| unreachable!("all were done")).await.is_err());
        assert_eq!(ledger.notes().len(), 700);
        let mut store = MockMasterKeyRepository::new();
        store.expect_rekey_secrets().times(2).returning(move |rekeyings| all(rekeyings));
        ledger.flush(&store, &[OLD], |_| unreachable!("all were done")).await.expect("written");
        // Nobody is asked for nothing.
        ledger.flush(&MockMasterKeyRepository::new(), &[OLD], |_| ()).await.expect("nothing to write");
    }

    #[tokio::test]
    async fn what_is_passed_over_is_named_by_its_new_digest() {
        let ledger = RekeyingLedger::of(2);
        assert!(ledger.note(OLD, rekeying(1)) && ledger.note(OLD, rekeying(2)));
        assert!(!ledger.note(OLD, rekeying(3)), "there is no room");
        assert!(ledger.note(OLD, rekeying(2)), "it has its room already");
        let mut store = MockMasterKeyRepository::new();
        store.expect_rekey_secrets().times(1).returning(|_| Ok(vec![rekeying(1).from]));
        let named = Mutex::new(Vec::new());
        ledger
            .flush(&store, &[OLD], |digest| named.lock().expect("no panic").push(*digest))
            .await
            .expect("written");
        assert_eq!(*named.lock().expect("no panic"), [rekeying(2).to.digest]);
        assert!(ledger.note(OLD, rekeying(3)), "there is room again");
    }

    #[tokio::test]
    async fn what_is_under_other_keys_is_dropped() {
        let ledger = RekeyingLedger::of(2);
        assert!(ledger.note(KeyId([8; 4]), rekeying(1)));
        ledger.flush(&MockMasterKeyRepository::new(), &[OLD], |_| ()).await.expect("nothing to write");
        assert!(ledger.notes().is_empty());
    }
}
