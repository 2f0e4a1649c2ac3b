//! Connections that many calls read over at once.
//!
//! A call does not wait for a free connection: its query is sent after those of other calls, and the answers arrive in the
//! same order (pipelining). So a few connections serve all calls, and the server and its clients process many queries
//! each time they wake. For short reads only: a long one would hold up all behind it, and in a transaction one call would
//! see another's statements.

use std::{
    fmt,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use diesel::ConnectionResult;
use latchkey_ports::{PoolState, StoreError};
use latchkey_sql::errors::unavailable;
use tokio::{sync::Mutex, task::JoinHandle, time::timeout};

use crate::connection::{Connection, Opening};

/// How many connections a thread has to itself, as long as there are enough: while one is being read from, the
/// database has work from the other.
const OF_ONE_THREAD: usize = 2;

/// The connections. Each is opened when it is first needed, and again after it was closed.
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
    /// Creates a set of at most `size` connections.
    pub(crate) fn new(size: usize, opening: Opening) -> Self {
        Self { places: (0..size.max(1)).map(|_| Mutex::default()).collect(), opening }
    }

    /// Returns a connection that other calls use at the same time.
    pub(crate) async fn get(&self) -> Result<Arc<Reader>, StoreError> {
        #[expect(
            clippy::indexing_slicing,
            reason = "there is at least one place, and the turn is below their number"
        )]
        let place = &self.places[turn(self.places.len())];
        // In the usual case no timer is created.
        if let Ok(reader) = place.try_lock()
            && let Some(reader) = open(reader.as_ref())
        {
            return Ok(reader);
        }
        timeout(self.opening.acquire_timeout, self.open_in(place))
            .await
            .map_err(unavailable)?
            .map_err(unavailable)
    }

    /// Returns how many connections are open. Calls share them, so an open one is in use and no call waits for another.
    pub(crate) fn state(&self, name: &'static str) -> PoolState {
        let is_open = |place: &&Place| place.try_lock().is_ok_and(|reader| open(reader.as_ref()).is_some());
        let in_use = self.places.iter().filter(is_open).count();
        PoolState { name, max: self.places.len(), in_use, idle: 0, waiting: 0 }
    }

    /// Opens a connection. Calls that come meanwhile wait for the same one.
    async fn open_in(&self, place: &Place) -> ConnectionResult<Arc<Reader>> {
        let mut place = place.lock().await;
        if let Some(reader) = open(place.as_ref()) {
            return Ok(reader);
        }
        let (connection, driver) = self.opening.shared().await?;
        Ok(Arc::clone(place.insert(Arc::new(Reader { connection, driver }))))
    }
}

/// Returns the connection, unless it was closed or is of no further use.
fn open(place: Option<&Arc<Reader>>) -> Option<Arc<Reader>> {
    place.filter(|reader| !reader.driver.is_finished() && !reader.is_useless()).cloned()
}

/// Returns the index of the next connection: those of this thread take turns.
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
