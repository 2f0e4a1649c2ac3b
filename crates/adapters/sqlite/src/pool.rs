//! Connections that take turns: one lane for the writer, one for the readers.

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

/// How often a thread that must not be a runtime's looks whether it is its turn.
const LOOK: Duration = Duration::from_millis(5);

/// A number of equal connections. A caller first waits for a turn, without a thread, and only then takes a blocking
/// thread: no more threads than connections are ever in use, however many callers there are.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Inner>);

struct Inner {
    connections: Arc<Connections>,
    purpose: Purpose,
    turns: Arc<Semaphore>,
    /// As many as there are turns to be had, but for those that a panic took along.
    idle: Mutex<Vec<SqliteConnection>>,
    acquire_timeout: Duration,
}

impl Pool {
    /// Opens all of the connections at once, so that what is wrong shows at start.
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

    /// Does the work on a blocking thread, to its end even when this future is dropped; dropped before its turn, the
    /// work is never begun.
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

    /// Does the work on the caller's own thread, which waits.
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
        // Without contention no timer is made.
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
    /// A panic in the work takes the connection along, with whatever state it was in; the next turn opens a new one.
    fn with_connection<T, E>(
        &self,
        turn: OwnedSemaphorePermit,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<OpenError>,
    {
        let conflict_of = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match conflict_of {
            Some(connection) => connection,
            None => self.connections.open(self.purpose)?,
        };
        let outcome = work(&mut connection);
        // A transaction that could neither be ended nor undone ends with its connection.
        if !AnsiTransactionManager::is_broken_transaction_manager(&mut connection) {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(connection);
        }
        // Only now: whoever has the next turn finds the connection.
        drop(turn);
        outcome
    }
}
