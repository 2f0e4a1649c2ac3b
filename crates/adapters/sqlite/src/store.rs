//! The store: two lanes of connections, and how calls get onto them.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use diesel::{Connection, QueryDsl, RunQueryDsl, SqliteConnection, dsl::exists, select};
use latchkey_ports::{Health, StoreError};
use latchkey_sql::{errors::DbError, schema::environments};
use tracing::instrument;

use crate::{
    connection::{Connections, Purpose},
    errors::OpenError,
    location::Location,
    migrations,
    pool::Pool,
};

/// The store over one SQLite database. A clone is the same store.
#[derive(Clone)]
pub struct SqliteStore {
    location: Location,
    /// One connection: SQLite has one writer at a time, and a queue here is fairer than its busy loop.
    writer: Pool,
    /// For a file, connections that see what is committed and never wait for the writer; in memory, the writer.
    readers: Pool,
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
        let lane = |purpose, size| Pool::open(&connections, purpose, size, settings.acquire_timeout);
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
        F: FnOnce(&mut SqliteConnection) -> Result<T, DbError> + Send + 'static,
    {
        self.readers.run(work).await
    }

    /// Several statements that read and see one state of the store.
    pub(crate) async fn read_snapshot<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, DbError> + Send + 'static,
    {
        self.readers.run(|connection| connection.transaction(work)).await
    }

    /// A transaction that writes. It takes the write lock at its start: one that began by reading could not be made
    /// to wait, only to fail.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, DbError> + Send + 'static,
    {
        self.writer.run(|connection| connection.immediate_transaction(work)).await
    }
}

/// How the store works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteSettings {
    /// Where the database is.
    pub location: Location,
    /// How many reads run at once (at least one; in memory, reads and writes take turns on one connection).
    pub readers: u32,
    /// How long a write waits for another process that writes.
    pub busy_timeout: Duration,
    /// How long a call waits for its turn in this process.
    pub acquire_timeout: Duration,
}

impl Default for SqliteSettings {
    /// `latchkey.db` in the working directory, four readers, five seconds of patience with others.
    fn default() -> Self {
        Self {
            location: Location::File(PathBuf::from("latchkey.db")),
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(5),
        }
    }
}

#[async_trait]
impl Health for SqliteStore {
    /// Reads a row of the smallest table: an answer that a constant would give tells nothing of the file.
    #[instrument(level = "debug", skip_all)]
    async fn ping(&self) -> Result<(), StoreError> {
        self.read(|connection| {
            let _: bool =
                select(exists(environments::table.select(environments::name))).get_result(connection)?;
            Ok(())
        })
        .await
    }
}
