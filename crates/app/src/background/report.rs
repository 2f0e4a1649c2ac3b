//! Faults of tasks in the log.

use latchkey_ports::{ErrorChain, StoreError};

/// Logs what a task could not do. That the database is unavailable is no news: the follower of the feed reports it.
pub(super) fn report(error: &StoreError, message: &'static str) {
    match error {
        StoreError::Unavailable(_) => tracing::debug!(error = %ErrorChain(error), "{message}"),
        error => tracing::warn!(error = %ErrorChain(error), "{message}"),
    }
}
