//! The store: a state behind a lock.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use latchkey_domain::Timestamp;
use latchkey_ports::{Health, StoreError};

use crate::state::State;

/// A store that forgets everything when it is dropped.
pub struct MemoryStore(Mutex<State>);

impl MemoryStore {
    /// A store as it is before anybody has used it; its project was created at that moment.
    #[must_use]
    pub fn new(created_at: Timestamp) -> Self {
        Self(Mutex::new(State::fresh(created_at)))
    }

    /// A mutation checks before it changes anything, so a panic elsewhere leaves the state whole.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Health for MemoryStore {
    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
