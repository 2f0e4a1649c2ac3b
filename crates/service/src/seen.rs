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
pub struct SeenLedger {
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

    fn take(&self) -> Vec<(K, Timestamp)> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *notes).into_iter().collect()
    }

    fn put_back(&self, taken: Vec<(K, Timestamp)>) {
        for (key, at) in taken {
            self.note(key, at);
        }
    }
}

impl SeenLedger {
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

    /// Writes all notes. To be called at intervals and at shutdown.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; the notes are kept for the next time.
    pub async fn flush(
        &self,
        tokens: &dyn TokenRepository,
        personal_tokens: &dyn PersonalTokenRepository,
    ) -> Result<(), StoreError> {
        let seen = self.tokens.take();
        let tokens_written = if seen.is_empty() {
            Ok(())
        } else {
            tokens.record_tokens_seen(&seen).await.inspect_err(|_| self.tokens.put_back(seen))
        };
        let seen = self.personal_tokens.take();
        if !seen.is_empty() {
            let written = personal_tokens.record_personal_tokens_seen(&seen).await;
            written.inspect_err(|_| self.personal_tokens.put_back(seen))?;
        }
        tokens_written
    }
}
