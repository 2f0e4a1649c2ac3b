//! Whether the background tasks of the process run, for readiness and metrics.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// The state of the background tasks. The supervisor of the tasks writes it; readiness and metrics read it.
#[derive(Debug, Default)]
pub struct TaskHealth {
    down: Mutex<BTreeSet<&'static str>>,
    restarts: AtomicU64,
}

/// A background task that failed and has not been restarted yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the background task \"{0}\" failed and has not been restarted yet")]
pub struct TaskDown(pub &'static str);

impl TaskHealth {
    /// Records that a task failed.
    pub fn failed(&self, task: &'static str) {
        self.down.lock().unwrap_or_else(PoisonError::into_inner).insert(task);
    }

    /// Records that a task was restarted after it failed.
    pub fn restarted(&self, task: &'static str) {
        self.down.lock().unwrap_or_else(PoisonError::into_inner).remove(task);
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how often tasks were restarted.
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// Checks that every task runs.
    pub fn check(&self) -> Result<(), TaskDown> {
        let down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        down.first().map_or(Ok(()), |task| Err(TaskDown(task)))
    }
}
