//! Connections that many calls read over at once.
//!
//! A call does not wait until a connection is free: what it asks is sent behind what others asked, and the answers come
//! back in the same order (pipelining). So a few connections answer everybody, and the database and its clients work
//! through many queries each time they are woken. For short reads only: a long one would hold up all behind it, and in
//! a transaction one call would see another's statements.

use std::{
    fmt,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use diesel::ConnectionResult;
use latchkey_ports::StoreError;
use latchkey_sql::errors::unavailable;
use tokio::{sync::Mutex, task::JoinHandle, time::timeout};

use crate::connection::{Connection, Opening};

/// How many connections a thread has to itself, as long as there are enough: while one is being read from, the
/// database has work from the other.
const OF_ONE_THREAD: usize = 2;

/// The connections, each made when it is first needed and made anew when it was closed.
pub(crate) struct Readers {
    places: Box<[Place]>,
    opening: Opening,
}

type Place = Mutex<Option<Arc<Reader>>>;

/// An open connection. Shared references are all that a query needs.
pub(crate) struct Reader {
    connection: Connection,
    driver: JoinHandle<()>,
}

impl Deref for Reader {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("places", &self.places.len()).finish_non_exhaustive()
    }
}

impl Readers {
    /// At most so many connections, each opened so.
    pub(crate) fn new(size: usize, opening: Opening) -> Self {
        Self { places: (0..size.max(1)).map(|_| Mutex::default()).collect(), opening }
    }

    /// A connection, for queries that others are under way beside.
    pub(crate) async fn get(&self) -> Result<Arc<Reader>, StoreError> {
        let place = self.places.get(turn(self.places.len())).ok_or_else(|| unavailable(NoPlace))?;
        // In the usual case no timer is made.
        if let Ok(reader) = place.try_lock()
            && let Some(reader) = open(reader.as_ref())
        {
            return Ok(reader);
        }
        timeout(self.opening.acquire_timeout, self.made(place))
            .await
            .map_err(unavailable)?
            .map_err(unavailable)
    }

    /// Whoever comes while a connection is being made waits for the same one.
    async fn made(&self, place: &Place) -> ConnectionResult<Arc<Reader>> {
        let mut place = place.lock().await;
        if let Some(reader) = open(place.as_ref()) {
            return Ok(reader);
        }
        let (connection, driver) = self.opening.shared().await?;
        Ok(Arc::clone(place.insert(Arc::new(Reader { connection, driver }))))
    }
}

/// What is there, unless it was closed or does not answer.
fn open(place: Option<&Arc<Reader>>) -> Option<Arc<Reader>> {
    place.filter(|reader| !reader.driver.is_finished() && !reader.gave_up()).cloned()
}

/// Which of so many connections is to be asked now: this thread's own, in turns.
fn turn(places: usize) -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static FIRST: usize = THREADS.fetch_add(OF_ONE_THREAD, Ordering::Relaxed);
        static TURN: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }
    let next = TURN.get().wrapping_add(1) % OF_ONE_THREAD;
    TURN.set(next);
    FIRST.with(|first| first.wrapping_add(next)).checked_rem(places).unwrap_or(0)
}

/// There is always a place.
#[derive(Debug, thiserror::Error)]
#[error("there is no connection to read from")]
struct NoPlace;
