//! Pools of connections: one for the writer, one for the readers.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender};
use diesel::{
    SqliteConnection,
    connection::{AnsiTransactionManager, TransactionManager},
};
use latchkey_ports::StoreError;
use latchkey_sql::errors::{DbError, unavailable};
use tokio::{sync::oneshot, time};
use tracing::Span;

use crate::{
    connection::{Connections, Purpose},
    errors::{OpenError, PoolTimeout},
};

/// A pool of equal connections, each with a thread of its own, which takes the next job from the queue as soon as it has ended
/// one. Connections that are lent to the runtime's blocking threads cost a worker a wake-up more for each job that waits,
/// and those threads fall asleep between two jobs.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Inner>);

struct Inner {
    /// `None` while the pool is dropped.
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    /// The number of jobs that were sent and have not ended.
    unfinished: Arc<AtomicUsize>,
    connections: Arc<Connections>,
    acquire_timeout: Duration,
}

type Job = Box<dyn FnOnce(&mut Slot) + Send>;

/// The connection of a thread.
struct Slot {
    connections: Arc<Connections>,
    purpose: Purpose,
    /// `None` after a panic, or a transaction that could be neither committed nor rolled back.
    connection: Option<SqliteConnection>,
}

impl Pool {
    /// Opens all connections at once, so that errors show at start.
    pub(crate) fn open(
        connections: &Arc<Connections>,
        purpose: Purpose,
        size: u32,
        acquire_timeout: Duration,
    ) -> Result<Self, OpenError> {
        let (jobs, queue) = crossbeam_channel::unbounded();
        let unfinished = Arc::new(AtomicUsize::new(0));
        let mut inner = Inner {
            jobs: Some(jobs),
            threads: Vec::new(),
            unfinished: Arc::clone(&unfinished),
            connections: Arc::clone(connections),
            acquire_timeout,
        };
        for _ in 0..size {
            let connection = Some(connections.open(purpose)?);
            let slot = Slot { connections: Arc::clone(connections), purpose, connection };
            let (queue, unfinished) = (queue.clone(), Arc::clone(&unfinished));
            let name = format!("sqlite-{purpose:?}").to_lowercase();
            let thread = thread::Builder::new().name(name).spawn(move || slot.serve(&queue, &unfinished));
            inner.threads.push(thread.map_err(OpenError::Thread)?);
        }
        Ok(Self(Arc::new(inner)))
    }

    /// Runs the work on a thread of the pool, to its end even when this future is dropped. If it is dropped while it waits for a
    /// connection, the work never begins.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, DbError> + Send + 'static,
    {
        let (answer, mut outcome) = oneshot::channel();
        let (begin, mut has_begun) = oneshot::channel();
        let span = Span::current();
        let is_idle = self.send(move |slot| {
            if begin.send(()).is_ok() {
                let _ = answer.send(span.in_scope(|| slot.lend(work)));
            }
        });
        let outcome = if is_idle {
            outcome.await
        } else if let Ok(outcome) = time::timeout(self.0.acquire_timeout, &mut outcome).await {
            outcome
        } else {
            has_begun.close();
            has_begun.try_recv().map_err(|_| unavailable(PoolTimeout(self.0.acquire_timeout)))?;
            outcome.await
        };
        outcome.map_err(|_| unavailable(self.0.connections.panicked()))?.map_err(StoreError::from)
    }

    /// Runs the work on a thread of the pool, while the caller's thread blocks.
    pub(crate) fn run_blocking<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<OpenError> + Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, E> + Send + 'static,
    {
        let (answer, outcome) = mpsc::sync_channel(1);
        self.send(move |slot| {
            let _ = answer.send(slot.lend(work));
        });
        outcome.recv().unwrap_or_else(|_| Err(self.0.connections.panicked().into()))
    }

    /// Sends a job to the threads, and returns whether one of them has nothing else to do.
    fn send(&self, job: impl FnOnce(&mut Slot) + Send + 'static) -> bool {
        let unfinished = self.0.unfinished.fetch_add(1, Ordering::Relaxed);
        if let Some(jobs) = &self.0.jobs {
            // The threads outlive the pool.
            let _ = jobs.send(Box::new(job));
        }
        unfinished < self.0.threads.len()
    }
}

impl Drop for Inner {
    /// Waits for the jobs that have begun.
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Slot {
    /// Runs jobs until the pool is dropped.
    fn serve(mut self, jobs: &Receiver<Job>, unfinished: &AtomicUsize) {
        for job in jobs {
            // The caller of a job that panics gets no answer. The panic hook has logged it.
            let _ = catch_unwind(AssertUnwindSafe(|| job(&mut self)));
            unfinished.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Lends the connection. If the work panics, it is dropped, and the next work gets a new one.
    fn lend<T, E>(&mut self, work: impl FnOnce(&mut SqliteConnection) -> Result<T, E>) -> Result<T, E>
    where
        E: From<OpenError>,
    {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connections.open(self.purpose)?,
        };
        let outcome = work(&mut connection);
        if !AnsiTransactionManager::is_broken_transaction_manager(&mut connection) {
            self.connection = Some(connection);
        }
        outcome
    }
}
