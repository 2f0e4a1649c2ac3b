//! The store of budgets, as a process asks it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use latchkey_ports::{BudgetRepository, Clock, StoreError};

use crate::WhenStale;

/// How long the store is not asked after it did not answer, where it is done without.
const PAUSE: Duration = Duration::from_secs(1);

/// There is no store that can be written.
#[derive(Debug, thiserror::Error)]
#[error("limits are counted by the primary, and database.primary_url does not name it")]
struct NoPrimary;

/// The store of budgets, and whether it is done without while it does not answer.
pub(super) struct Budgets {
    store: Option<Arc<dyn BudgetRepository>>,
    pub(super) clock: Arc<dyn Clock>,
    when_stale: WhenStale,
    /// When the store is asked again.
    asked_again: Mutex<Duration>,
}

impl Budgets {
    pub(super) fn new(
        store: Option<Arc<dyn BudgetRepository>>,
        clock: Arc<dyn Clock>,
        when_stale: WhenStale,
    ) -> Self {
        Self { store, clock, when_stale, asked_again: Mutex::default() }
    }

    /// Returns the store, unless it did not answer a moment ago and is done without.
    pub(super) fn store(&self) -> Result<&dyn BudgetRepository, StoreError> {
        let store = self.store.as_deref().ok_or_else(|| StoreError::Unavailable(NoPrimary.into()))?;
        let asked_again = *self.asked_again.lock().unwrap_or_else(PoisonError::into_inner);
        if self.can_do_without() && self.clock.monotonic() < asked_again {
            return Err(StoreError::Unavailable("the store did not answer a moment ago".into()));
        }
        Ok(store)
    }

    /// Notes that the store did not answer.
    pub(super) fn note<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Unavailable(_)) = &answer {
            let again = self.clock.monotonic().saturating_add(PAUSE);
            *self.asked_again.lock().unwrap_or_else(PoisonError::into_inner) = again;
        }
        answer
    }

    fn can_do_without(&self) -> bool {
        self.when_stale == WhenStale::Serve
    }

    /// Whether this process goes on without the store after that error.
    pub(super) fn is_done_without(&self, error: &StoreError) -> bool {
        self.can_do_without() && matches!(error, StoreError::Unavailable(_))
    }
}
