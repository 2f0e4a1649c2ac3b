//! Connections and their settings.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use diesel::{
    Connection, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection, connection::SimpleConnection,
    sql_query, sql_types::Text,
};

use crate::{
    errors::{OpenError, Panicked},
    location::Location,
};

/// How long one attempt to switch to the write-ahead log waits.
const WAL_ATTEMPT: Duration = Duration::from_millis(50);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Reads and writes.
    Write,
    /// Reads only; SQLite itself refuses the rest.
    Read,
}

/// How to make connections to one database.
#[derive(Debug)]
pub(crate) struct Connections {
    location: Location,
    url: String,
    busy_timeout: Duration,
}

impl Connections {
    /// Creates the directory and the file if they are missing.
    pub(crate) fn to(location: &Location, busy_timeout: Duration) -> Result<Self, OpenError> {
        let url = match location {
            Location::Memory => ":memory:".to_owned(),
            Location::File(path) => prepare_file(path)?,
        };
        Ok(Self { location: location.clone(), url, busy_timeout })
    }

    /// The database.
    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    /// Returns the error of work that panicked.
    pub(crate) fn panicked(&self) -> OpenError {
        OpenError::Database { location: self.location.clone(), source: Box::new(Panicked) }
    }

    /// Opens a connection.
    pub(crate) fn open(&self, purpose: Purpose) -> Result<SqliteConnection, OpenError> {
        let mut connection = SqliteConnection::establish(&self.url).map_err(|source| {
            OpenError::Connection { location: self.location.clone(), source: source.into() }
        })?;
        self.set_up(&mut connection, purpose)
            .map_err(|source| OpenError::of_database(&self.location, source))?;
        Ok(connection)
    }

    fn set_up(&self, connection: &mut SqliteConnection, purpose: Purpose) -> QueryResult<()> {
        if matches!(self.location, Location::File(_)) {
            self.switch_to_wal(connection)?;
        }
        // The timeout before all that could meet a lock. Full synchronisation, and a real one on macOS: a revocation
        // that was acknowledged survives a power cut. Small caches: the whole process is to stay small.
        connection.batch_execute(&format!(
            "PRAGMA busy_timeout = {};
             PRAGMA synchronous = FULL;
             PRAGMA fullfsync = ON;
             PRAGMA foreign_keys = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -2000;
             PRAGMA journal_size_limit = 8388608;",
            self.busy_timeout.as_millis(),
        ))?;
        // The first look into the file: a damaged one, and a directory that cannot be written, show here.
        connection.batch_execute("SELECT count(*) FROM sqlite_schema;")?;
        if purpose == Purpose::Read {
            connection.batch_execute("PRAGMA query_only = ON;")?;
        }
        Ok(())
    }

    /// With a write-ahead log, readers never wait for the writer. The switch is made once in the life of a file and
    /// needs it alone; SQLite does not wait for that with every lock, so two processes that start on a new file try
    /// until both have succeeded.
    fn switch_to_wal(&self, connection: &mut SqliteConnection) -> QueryResult<()> {
        connection.batch_execute(&format!("PRAGMA busy_timeout = {};", WAL_ATTEMPT.as_millis()))?;
        let mut patience = self.busy_timeout.as_millis() / WAL_ATTEMPT.as_millis();
        loop {
            match ensure_wal(connection) {
                Err(error) if patience > 0 && error.to_string().contains("is locked") => {
                    patience -= 1;
                    thread::sleep(WAL_ATTEMPT / 2);
                }
                done => return done,
            }
        }
    }
}

#[derive(QueryableByName)]
struct Journal {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

fn ensure_wal(connection: &mut SqliteConnection) -> QueryResult<()> {
    let journal: Journal = sql_query("PRAGMA journal_mode").get_result(connection)?;
    if journal.journal_mode == "wal" {
        return Ok(());
    }
    connection.batch_execute("PRAGMA journal_mode = WAL;")
}

/// The path for SQLite: absolute, so that it can be no `file:` address and no `:memory:`.
fn prepare_file(path: &Path) -> Result<String, OpenError> {
    let file_error = |source: io::Error| OpenError::File { path: path.to_owned(), source };
    let path: PathBuf = std::path::absolute(path).map_err(file_error)?;
    if let Some(directory) = path.parent() {
        create_directory(directory)
            .map_err(|source| OpenError::Directory { path: directory.to_owned(), source })?;
    }
    create_file(&path).map_err(file_error)?;
    path.into_os_string().into_string().map_err(|path| OpenError::PathNotUtf8 { path: path.into() })
}

fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Creates the file before SQLite would, for its owner alone: it holds digests and sealed secrets. SQLite gives its log
/// and index the same mode. A file that is there keeps its mode, and only has to be writable.
fn create_file(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
