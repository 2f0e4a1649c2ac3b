//! Pools of connections: one for the writer, one for the readers.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use diesel::{
    SqliteConnection,
    connection::{AnsiTransactionManager, TransactionManager},
};
use latchkey_ports::StoreError;
use latchkey_sql::errors::{DbError, unavailable};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task, time,
};
use tracing::Span;

use crate::{
    connection::{Connections, Purpose},
    errors::{OpenError, PoolTimeout},
};

/// How often a blocked thread checks for a free connection.
const LOOK: Duration = Duration::from_millis(5);

/// A pool of equal connections. A call waits for a connection without a thread and takes a blocking thread only then, so no
/// more threads than connections are in use, however many calls wait.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Inner>);

struct Inner {
    connections: Arc<Connections>,
    purpose: Purpose,
    turns: Arc<Semaphore>,
    /// As many as there are free permits, except for those that a panic lost.
    idle: Mutex<Vec<SqliteConnection>>,
    acquire_timeout: Duration,
}

impl Pool {
    /// Opens all connections at once, so that errors show at start.
    pub(crate) fn open(
        connections: &Arc<Connections>,
        purpose: Purpose,
        size: u32,
        acquire_timeout: Duration,
    ) -> Result<Self, OpenError> {
        let idle = (0..size).map(|_| connections.open(purpose)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(Arc::new(Inner {
            connections: Arc::clone(connections),
            purpose,
            turns: Arc::new(Semaphore::new(idle.len())),
            idle: Mutex::new(idle),
            acquire_timeout,
        })))
    }

    /// Runs the work on a blocking thread, to its end even when this future is dropped. If it is dropped while it waits for a
    /// connection, the work never begins.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, DbError> + Send + 'static,
    {
        let turn = self.turn().await?;
        let inner = Arc::clone(&self.0);
        let span = Span::current();
        let outcome = task::spawn_blocking(move || span.in_scope(|| inner.with_connection(turn, work))).await;
        outcome.map_err(unavailable)?.map_err(StoreError::from)
    }

    /// Runs the work on the caller's thread, which blocks.
    pub(crate) fn run_blocking<T, E>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<OpenError>,
    {
        let turn = loop {
            if let Ok(turn) = Arc::clone(&self.0.turns).try_acquire_owned() {
                break turn;
            }
            thread::sleep(LOOK);
        };
        self.0.with_connection(turn, work)
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        // Without contention, no timer is created.
        if let Ok(turn) = Arc::clone(&self.0.turns).try_acquire_owned() {
            return Ok(turn);
        }
        let waiting = Arc::clone(&self.0.turns).acquire_owned();
        time::timeout(self.0.acquire_timeout, waiting)
            .await
            .map_err(|_| unavailable(PoolTimeout(self.0.acquire_timeout)))?
            .map_err(unavailable)
    }
}

impl Inner {
    /// A panic in the work drops the connection; the next call opens a new one.
    fn with_connection<T, E>(
        &self,
        turn: OwnedSemaphorePermit,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<OpenError>,
    {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connections.open(self.purpose)?,
        };
        let outcome = work(&mut connection);
        // A transaction that could be neither committed nor rolled back ends with its connection.
        if !AnsiTransactionManager::is_broken_transaction_manager(&mut connection) {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(connection);
        }
        // Only now, so that the next turn finds the connection.
        drop(turn);
        outcome
    }
}
