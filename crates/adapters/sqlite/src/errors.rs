//! Why the store could not be opened or migrated, in words for the operator.

use std::{io, path::PathBuf, time::Duration};

use latchkey_sql::{DbError, errors::unavailable};

use crate::Location;

impl From<OpenError> for DbError {
    fn from(error: OpenError) -> Self {
        Self::Answer(unavailable(error))
    }
}

/// Every connection was busy for too long.
#[derive(Debug, thiserror::Error)]
#[error("no connection was free within {0:?}")]
pub(crate) struct PoolTimeout(pub(crate) Duration);

/// The driver's error: no type of diesel's leaves this crate.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the store could not be opened or brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory of the database is missing and could not be made.
    #[error("the directory {} of the database cannot be created", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file could not be created, or may not be written.
    #[error("the database {} cannot be created or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path is no UTF-8, which is all that SQLite takes.
    #[error("the path {} of the database is not valid UTF-8", path.display())]
    PathNotUtf8 {
        /// The path.
        path: PathBuf,
    },
    /// The file is there, and is no SQLite database, or a damaged one.
    #[error("{location} is not an SQLite database, or it is damaged; it was left as it is")]
    NotADatabase {
        /// The database.
        location: Location,
        /// What SQLite said.
        source: Cause,
    },
    /// Files beside the database cannot be written; SQLite needs its log and index there.
    #[error(
        "{location} cannot be written: its directory has to be writable too, for the files -wal and -shm"
    )]
    NotWritable {
        /// The database.
        location: Location,
        /// What SQLite said.
        source: Cause,
    },
    /// Another process held the database all the time.
    #[error("{location} is locked by another process")]
    Locked {
        /// The database.
        location: Location,
        /// What SQLite said.
        source: Cause,
    },
    /// The connection could not be made.
    #[error("{location} cannot be opened")]
    Connection {
        /// The database.
        location: Location,
        /// What SQLite said.
        source: Cause,
    },
    /// SQLite refused, for another reason.
    #[error("{location} cannot be used")]
    Database {
        /// The database.
        location: Location,
        /// What SQLite said.
        source: Cause,
    },
    /// A newer Latchkey has brought the database up to its own date.
    #[error(
        "{location} was written by a newer Latchkey: it has the migration {version}, which this program does not know"
    )]
    NewerSchema {
        /// The database.
        location: Location,
        /// The migration.
        version: String,
    },
    /// A migration failed; nothing was changed.
    #[error("{location} could not be brought up to date; nothing was changed")]
    Migration {
        /// The database.
        location: Location,
        /// Why.
        source: Cause,
    },
}

impl OpenError {
    /// What SQLite's own error means to an operator.
    pub(crate) fn of_database(location: &Location, source: diesel::result::Error) -> Self {
        let location = location.clone();
        // The message is all that diesel passes on of the result code.
        let message = source.to_string();
        let source = Cause::from(source);
        let says = |text| message.contains(text);
        if says("file is not a database") || says("malformed") {
            Self::NotADatabase { location, source }
        } else if says("readonly") || says("unable to open database file") {
            Self::NotWritable { location, source }
        } else if says("is locked") {
            Self::Locked { location, source }
        } else {
            Self::Database { location, source }
        }
    }
}
