//! The store: two lanes of connections, and how calls get onto them.

use std::{fmt, sync::Arc};

use diesel::{Connection, SqliteConnection};
use latchkey_ports::StoreError;

use crate::{
    Location, OpenError, SqliteSettings,
    connections::{Connections, Purpose},
    errors::Failure,
    lane::Lane,
    migrations,
};

/// The store over one SQLite database. A clone is the same store.
#[derive(Clone)]
pub struct SqliteStore {
    location: Location,
    /// One connection: SQLite has one writer at a time, and a queue here is fairer than its busy loop.
    writer: Lane,
    /// For a file, connections that see what is committed and never wait for the writer; in memory, the writer.
    readers: Lane,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("location", &self.location).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the database, or creates it, readable by its owner alone. Blocks; the tables come by
    /// [`SqliteStore::migrate`].
    ///
    /// # Errors
    /// [`OpenError`], which says what an operator can do.
    pub fn open(settings: SqliteSettings) -> Result<Self, OpenError> {
        let connections = Arc::new(Connections::to(&settings.location, settings.busy_timeout)?);
        let lane = |purpose, size| Lane::open(&connections, purpose, size, settings.acquire_timeout);
        let writer = lane(Purpose::Write, 1)?;
        let readers = match connections.location() {
            Location::File(_) => lane(Purpose::Read, settings.readers.max(1))?,
            Location::Memory => writer.clone(),
        };
        Ok(Self { location: settings.location, writer, readers })
    }

    /// Brings the tables up to date, and says how many migrations that took. Blocks. Any number of processes may do
    /// it at once; each migration runs once.
    ///
    /// # Errors
    /// [`OpenError::NewerSchema`] where a newer program was here; [`OpenError::Migration`].
    pub fn migrate(&self) -> Result<usize, OpenError> {
        self.writer.run_blocking(|connection| migrations::run(connection, &self.location))
    }

    /// The writer's connection, for a test that looks at the database itself.
    #[cfg(test)]
    pub(crate) fn on_writer<T>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, OpenError>,
    ) -> Result<T, OpenError> {
        self.writer.run_blocking(work)
    }

    /// One statement that reads.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    {
        self.readers.run(work).await
    }

    /// Several statements that read and see one state of the store.
    pub(crate) async fn read_snapshot<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    {
        self.readers.run(|connection| connection.transaction(work)).await
    }

    /// A transaction that writes. It takes the write lock at its start: one that began by reading could not be made
    /// to wait, only to fail.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    {
        self.writer.run(|connection| connection.immediate_transaction(work)).await
    }
}
