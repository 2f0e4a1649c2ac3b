//! When tokens last authenticated: noted in memory on the request's path, written in batches off it.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use latchkey_domain::{PersonalTokenId, Principal, Timestamp, TokenId, UserCredential};
use latchkey_ports::{PersonalTokenRepository, StoreError, TokenRepository};

/// The notes not yet written; one for each token, so it is bounded by the number of tokens in use.
#[derive(Default)]
pub struct UsageRecorder {
    tokens: Notes<TokenId>,
    personal_tokens: Notes<PersonalTokenId>,
}

struct Notes<K>(Mutex<HashMap<K, Timestamp>>);

impl<K> Default for Notes<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Copy> Notes<K> {
    fn note(&self, key: K, at: Timestamp) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.entry(key).and_modify(|kept| *kept = at.max(*kept)).or_insert(at);
    }

    fn take(&self) -> Taken<'_, K> {
        // A line of its own, so that requests do not wait while the notes are copied.
        let taken = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        Taken { notes: self, seen: taken.into_iter().collect() }
    }
}

/// Notes on their way to the store. Unless they arrive they are put back, also where the writing is given up half-way,
/// as it is when the server stops: written twice is no harm, lost is.
struct Taken<'n, K: Eq + Hash + Copy> {
    notes: &'n Notes<K>,
    seen: Vec<(K, Timestamp)>,
}

impl<K: Eq + Hash + Copy> Taken<'_, K> {
    fn arrived(mut self) {
        self.seen.clear();
    }
}

impl<K: Eq + Hash + Copy> Drop for Taken<'_, K> {
    fn drop(&mut self) {
        for (key, at) in self.seen.drain(..) {
            self.notes.note(key, at);
        }
    }
}

impl UsageRecorder {
    /// Notes that the principal's token authenticated.
    pub fn note(&self, principal: &Principal, at: Timestamp) {
        match principal {
            Principal::ApiToken { id, .. } => self.tokens.note(*id, at),
            Principal::User { credential: UserCredential::PersonalToken(id), .. } => {
                self.personal_tokens.note(*id, at);
            }
            // A user was seen when they signed in; that is written at once.
            Principal::User { credential: UserCredential::Session(_), .. } => {}
        }
    }

    /// Writes all notes, in one statement for each of the two sorts of tokens. To be called at intervals and at
    /// shutdown; between two calls a token costs no more than one write, however often it was used.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; the notes are kept for the next time, as they are where this is dropped half-way.
    pub async fn flush(
        &self,
        tokens: &dyn TokenRepository,
        personal_tokens: &dyn PersonalTokenRepository,
    ) -> Result<(), StoreError> {
        let taken = self.tokens.take();
        let tokens_written = if taken.seen.is_empty() {
            Ok(())
        } else {
            tokens.record_token_use(&taken.seen).await.map(|()| taken.arrived())
        };
        let taken = self.personal_tokens.take();
        if !taken.seen.is_empty() {
            personal_tokens.record_personal_token_use(&taken.seen).await?;
            taken.arrived();
        }
        tokens_written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_kept_until_they_have_arrived() {
        let at = |millis| Timestamp::from_millis(millis).expect("in range");
        let notes = Notes::default();
        notes.note(7, at(1));
        let taken = notes.take();
        // The token is used on while the store is being told, and then nobody waits for the store any more.
        notes.note(7, at(2));
        drop(taken);
        let taken = notes.take();
        assert_eq!(taken.seen, [(7, at(2))], "the later moment of the two");
        taken.arrived();
        assert_eq!(notes.take().seen, []);
    }
}
