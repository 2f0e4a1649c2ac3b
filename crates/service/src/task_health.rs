//! Whether the background tasks of the process run, for readiness and metrics.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The state of the background tasks. The supervisor of the tasks writes it; readiness and metrics read it.
#[derive(Debug, Default)]
pub struct TaskHealth(Mutex<Tasks>);

#[derive(Debug, Default)]
struct Tasks {
    down: BTreeSet<&'static str>,
    restarts: BTreeMap<&'static str, u64>,
}

/// A background task that failed and has not been restarted yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the background task \"{0}\" failed and has not been restarted yet")]
pub struct TaskDown(pub &'static str);

impl TaskHealth {
    /// Records that a task was started for the first time.
    pub fn started(&self, task: &'static str) {
        self.tasks().restarts.entry(task).or_default();
    }

    /// Records that a task failed.
    pub fn failed(&self, task: &'static str) {
        self.tasks().down.insert(task);
    }

    /// Records that a task was restarted after it failed.
    pub fn restarted(&self, task: &'static str) {
        let mut tasks = self.tasks();
        tasks.down.remove(task);
        *tasks.restarts.entry(task).or_default() += 1;
    }

    /// Returns how often each task was restarted.
    pub fn restarts(&self) -> BTreeMap<&'static str, u64> {
        self.tasks().restarts.clone()
    }

    /// Returns the tasks that failed and have not been restarted yet.
    pub fn down(&self) -> BTreeSet<&'static str> {
        self.tasks().down.clone()
    }

    /// Checks that every task runs.
    pub fn check(&self) -> Result<(), TaskDown> {
        self.tasks().down.first().map_or(Ok(()), |task| Err(TaskDown(task)))
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
