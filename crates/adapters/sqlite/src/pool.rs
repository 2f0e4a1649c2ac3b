//! Pools of connections: one for the writer, one for the readers.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
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
use latchkey_ports::{PoolState, StoreError};
use latchkey_sql::errors::{DbError, unavailable};
use tokio::{sync::oneshot, time};
use tracing::Span;

use crate::{
    connection::{Connections, Purpose},
    errors::{OpenError, Panicked, PoolTimeout},
};

/// A pool of equal connections, each with a thread of its own, which takes the next job from the queue as soon as it has ended
/// one.
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
    ///
    /// # Errors
    /// `Unavailable` if no connection was free in time; `Fault` if the work panics; those of the work.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, DbError> + Send + 'static,
    {
        let (answer, mut outcome) = oneshot::channel();
        let span = Span::current();
        let waiting = Waiting::new(move |slot: &mut Slot| span.in_scope(|| slot.lend(work)));
        let sent = Arc::clone(&waiting.0);
        let is_idle = self.send(move |slot| {
            if let Some(work) = take(&sent) {
                let _ = answer.send(work(slot));
            }
        });
        let outcome = if is_idle {
            outcome.await
        } else if let Ok(outcome) = time::timeout(self.0.acquire_timeout, &mut outcome).await {
            outcome
        } else if take(&waiting.0).is_some() {
            return Err(unavailable(PoolTimeout(self.0.acquire_timeout)));
        } else {
            outcome.await
        };
        outcome.map_err(|_| StoreError::Fault(Box::new(Panicked)))?.map_err(StoreError::from)
    }

    /// Returns how many connections are in use, and how many calls wait for one.
    pub(crate) fn state(&self, name: &'static str) -> PoolState {
        let (max, unfinished) = (self.0.threads.len(), self.0.unfinished.load(Ordering::Relaxed));
        let in_use = unfinished.min(max);
        PoolState { name, max, in_use, idle: max - in_use, waiting: unfinished - in_use }
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

    /// Sends a job to the threads, and returns whether one of them has nothing else to do. Another job may still overtake this
    /// one, which then waits for it without a time limit of its own.
    fn send(&self, job: impl FnOnce(&mut Slot) + Send + 'static) -> bool {
        let unfinished = self.0.unfinished.fetch_add(1, Ordering::Relaxed);
        if let Some(jobs) = &self.0.jobs {
            // The threads outlive the pool.
            let _ = jobs.send(Box::new(job));
        }
        unfinished < self.0.threads.len()
    }
}

/// Work that waits for a connection. It is dropped with this, so that a caller that has gone leaves nothing in the queue.
struct Waiting<F>(Arc<Mutex<Option<F>>>);

impl<F> Waiting<F> {
    fn new(work: F) -> Self {
        Self(Arc::new(Mutex::new(Some(work))))
    }
}

impl<F> Drop for Waiting<F> {
    fn drop(&mut self) {
        take(&self.0);
    }
}

/// Takes the work, if it has neither begun nor been given up.
fn take<F>(work: &Mutex<Option<F>>) -> Option<F> {
    work.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl Drop for Inner {
    /// Blocks until all jobs have ended. No job may hold the pool, whose threads cannot wait for themselves.
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use diesel::{RunQueryDsl, sql_query};
    use futures_util::poll;

    use super::*;
    use crate::Location;

    fn pool(size: u32, acquire_timeout: Duration) -> Pool {
        let connections = Connections::to(&Location::Memory, Duration::from_secs(5)).expect("a place");
        Pool::open(&Arc::new(connections), Purpose::Write, size, acquire_timeout).expect("opens")
    }

    /// Work that begins, says so, and ends when it is told to.
    fn blocked() -> (
        impl FnOnce(&mut SqliteConnection) -> Result<(), DbError> + Send + 'static,
        mpsc::Receiver<()>,
        mpsc::Sender<()>,
    ) {
        let (started, begun) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let work = move |_: &mut SqliteConnection| {
            started.send(()).expect("the test waits");
            let _: Result<(), _> = ended.recv();
            Ok(())
        };
        (work, begun, end)
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_next_job_has_a_new_connection() {
        let pool = pool(1, Duration::from_secs(5));
        let create = |connection: &mut SqliteConnection| {
            Ok(sql_query("CREATE TABLE marks (mark)").execute(connection)?)
        };
        pool.run(create).await.expect("a table");
        let outcome = pool.run(|_| -> Result<(), DbError> { panic!("a bug") }).await;
        assert!(matches!(outcome, Err(StoreError::Fault(_))), "{outcome:?}");
        pool.run(create).await.expect("another database in memory, without the table");
    }

    #[tokio::test]
    async fn a_job_never_begins_once_its_caller_has_gone_or_waited_for_too_long() {
        let pool = pool(1, Duration::from_millis(1));
        let (work, begun, end) = blocked();
        let (first, second) = (pool.run(work), pool.run(|_| -> Result<(), DbError> { panic!("it began") }));
        let (mut first, mut second) = (Box::pin(first), Box::pin(second));
        assert!(poll!(&mut first).is_pending());
        begun.recv().expect("begun");
        let third = pool.run(|_| -> Result<(), DbError> { panic!("it began") });
        assert!(poll!(&mut second).is_pending());
        drop(second);
        let outcome = third.await;
        assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
        end.send(()).expect("it waits");
        first.await.expect("a job that has begun is waited for");
        let next = pool.run_blocking(|_| Ok::<_, OpenError>("the thread goes on"));
        assert_eq!(next.expect("an answer"), "the thread goes on");
    }

    #[tokio::test]
    async fn a_pool_waits_for_the_jobs_that_have_begun_when_it_is_dropped() {
        let pool = pool(2, Duration::from_secs(5));
        let (work, begun, end) = blocked();
        let has_ended = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&has_ended);
        let mut job = Box::pin(pool.run(move |connection| {
            work(connection)?;
            ended.store(true, Ordering::Relaxed);
            Ok(())
        }));
        assert!(poll!(&mut job).is_pending());
        begun.recv().expect("begun");
        drop(job);
        let ending = thread::spawn(move || end.send(()));
        drop(pool);
        assert!(has_ended.load(Ordering::Relaxed));
        ending.join().expect("no panic").expect("it waited");
    }
}
