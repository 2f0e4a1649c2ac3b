//! # The memory store
//!
//! The reference store: the simplest correct code. All data is in maps behind one lock. A mutation checks everything
//! before it changes anything, so it takes effect completely or not at all. It serves tests and trials (`memory:`); its
//! data is lost when the process ends.
//!
//! Domain rules, caches and optimizations do not belong here. See `latchkey-storage-conformance` for what a store must
//! do, and `latchkey-sqlite` and `latchkey-postgres` for durable stores.

mod access;
mod budgets;
mod environments;
mod event_consumers;
mod event_seals;
mod events;
mod groups;
mod idempotency;
mod import;
mod kept_digest;
mod mail;
mod master_keys;
mod notices;
mod personal_tokens;
mod policies;
mod projects;
mod replicas;
mod sessions;
mod state;
mod statistics;
mod token_index;
mod tokens;
mod usage;
mod users;
mod webhooks;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use latchkey_domain::Timestamp;
use latchkey_ports::{Health, StoreError};

use crate::state::State;

/// A store whose data is lost when it is dropped.
pub struct MemoryStore(Mutex<State>);

impl MemoryStore {
    /// Creates a store with the contents of [`latchkey_ports::initial_data`]; its project was created at this time.
    #[must_use]
    pub fn new(created_at: Timestamp) -> Self {
        Self(Mutex::new(State::fresh(created_at)))
    }

    /// Locks the state. A poisoned lock is usable, because a mutation checks before it changes anything.
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
