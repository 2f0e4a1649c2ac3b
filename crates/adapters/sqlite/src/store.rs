//! The store: a pool of one connection that writes, and a pool of connections that read.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use diesel::{Connection, QueryDsl, RunQueryDsl, SqliteConnection, dsl::exists, select};
use latchkey_ports::{Health, PoolState, SchemaState, StoreError};
use latchkey_sql::{errors::DbError, schema::environments};

use crate::{
    connection::{Connections, Purpose},
    errors::OpenError,
    location::Location,
    migrations,
    paging::row_count,
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
    /// Opens the database, or creates it, readable by its owner alone. Blocks. [`SqliteStore::migrate`] creates the tables.
    ///
    /// # Errors
    /// [`OpenError`], which says what an operator can do.
    pub fn open(settings: SqliteSettings) -> Result<Self, OpenError> {
        let connections = Arc::new(Connections::to(&settings.location, settings.busy_timeout)?);
        let pool = |purpose, size| Pool::open(&connections, purpose, size, settings.acquire_timeout);
        let writer = pool(Purpose::Write, 1)?;
        let readers = match connections.location() {
            Location::File(_) => pool(Purpose::Read, settings.readers.max(1))?,
            Location::Memory => writer.clone(),
        };
        Ok(Self { location: settings.location, writer, readers })
    }

    /// Runs the pending migrations and returns their number. Blocks. Any number of processes may do so at once; each migration
    /// runs once.
    ///
    /// # Errors
    /// [`OpenError::NewerSchema`] for a database of a newer version; [`OpenError::Migration`].
    pub fn migrate(&self) -> Result<usize, OpenError> {
        let location = self.location.clone();
        self.writer.run_blocking(move |connection| migrations::run(connection, &location))
    }

    /// Returns which migrations the database has. Blocks, and changes nothing.
    ///
    /// # Errors
    /// [`OpenError::Migration`] if they cannot be read.
    pub fn schema_state(&self) -> Result<SchemaState, OpenError> {
        let location = self.location.clone();
        self.readers.run_blocking(move |connection| {
            migrations::state(connection)
                .map_err(|error| OpenError::Migration { location, source: Box::new(error) })
        })
    }

    /// Runs work on the connection that writes, for tests of the database itself.
    #[cfg(test)]
    pub(crate) fn on_writer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, OpenError> + Send + 'static,
    ) -> Result<T, OpenError> {
        self.writer.run_blocking(work)
    }

    /// Runs one statement that reads.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, DbError> + Send + 'static,
    {
        self.readers.run(work).await
    }

    /// Runs several statements that read one state of the store.
    pub(crate) async fn read_snapshot<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, DbError> + Send + 'static,
    {
        self.readers.run(|connection| connection.transaction(work)).await
    }

    /// Runs a transaction that writes. It takes the write lock at its start: a transaction that began by reading could not wait
    /// for the lock, only fail.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, DbError> + Send + 'static,
    {
        self.writer.run(|connection| connection.immediate_transaction(work)).await
    }

    /// Deletes one portion after another, so that others can write in between, until nothing is left, and returns the number of rows.
    pub(crate) async fn forget<F>(&self, portion: F) -> Result<u64, StoreError>
    where
        F: FnOnce(&mut SqliteConnection) -> Result<usize, DbError> + Clone + Send + 'static,
    {
        let mut forgotten = 0;
        loop {
            let deleted = self.write(portion.clone()).await?;
            if deleted == 0 {
                return Ok(forgotten);
            }
            forgotten += row_count(deleted);
        }
    }

    /// Runs work on the connection that writes, with transactions of its own.
    pub(crate) async fn on_writer_thread<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, DbError> + Send + 'static,
    {
        self.writer.run(work).await
    }
}

/// The settings of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteSettings {
    /// Where the database is.
    pub location: Location,
    /// The number of reads at once, at least one. In memory, reads and writes share one connection.
    pub readers: u32,
    /// How long a write waits for another process that writes.
    pub busy_timeout: Duration,
    /// How long a call waits for its turn in this process.
    pub acquire_timeout: Duration,
}

impl Default for SqliteSettings {
    /// `latchkey.db` in the working directory, four readers, timeouts of five seconds.
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
    /// Reads a row of the smallest table: a constant would be answered without reading the file.
    async fn ping(&self) -> Result<(), StoreError> {
        self.read(|connection| {
            let _: bool =
                select(exists(environments::table.select(environments::name))).get_result(connection)?;
            Ok(())
        })
        .await
    }

    fn pools(&self) -> Vec<PoolState> {
        let writer = self.writer.state("write");
        match &self.location {
            Location::File(_) => vec![writer, self.readers.state("read")],
            // The same pool.
            Location::Memory => vec![writer],
        }
    }
}
