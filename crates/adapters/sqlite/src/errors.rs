//! What a driver's error means to a caller, decided here and nowhere else.

use std::{io, path::PathBuf, time::Duration};

use diesel::result::{DatabaseErrorKind, Error};
use latchkey_ports::{Entity, Inconsistency, StoreError};

use crate::store::Location;

/// How work in a transaction fails: with an answer for the caller, or with an error of the driver that means no more
/// than that the store is unavailable. Either undoes the transaction.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DbError {
    /// An answer for the caller.
    #[error(transparent)]
    Answer(#[from] StoreError),
    /// The driver's error.
    #[error(transparent)]
    Driver(#[from] Error),
    /// A connection was needed and could not be made.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<Inconsistency> for DbError {
    fn from(inconsistency: Inconsistency) -> Self {
        Self::Answer(inconsistency.into())
    }
}

impl From<DbError> for StoreError {
    fn from(failure: DbError) -> Self {
        match failure {
            DbError::Answer(answer) => answer,
            // Busy, locked, I/O, full, read-only, damaged. References to what is not there are found before the
            // write, in the same transaction, because SQLite does not say which reference it was.
            DbError::Driver(error) => unavailable(error),
            DbError::Open(error) => unavailable(error),
        }
    }
}

/// Nobody ended a call in time for this one to begin.
#[derive(Debug, thiserror::Error)]
#[error("no connection was free within {0:?}")]
pub(crate) struct NoTurn(pub(crate) Duration);

/// The store could not answer.
pub(crate) fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

/// That does not exist.
pub(crate) fn not_found(entity: Entity) -> DbError {
    DbError::Answer(StoreError::NotFound(entity))
}

/// That exists already.
pub(crate) fn conflict(entity: Entity) -> DbError {
    DbError::Answer(StoreError::Conflict(entity))
}

/// That was changed by somebody else meanwhile.
pub(crate) fn stale(entity: Entity) -> DbError {
    DbError::Answer(StoreError::Stale(entity))
}

/// For `map_err` of an insertion or a change: which entity is there already, by the columns (`table.column, table.column`) that
/// SQLite names.
pub(crate) fn conflict_of(entity_of: impl FnOnce(&str) -> Option<Entity>) -> impl FnOnce(Error) -> DbError {
    move |error| {
        if let Error::DatabaseError(DatabaseErrorKind::UniqueViolation, information) = &error
            && let Some(columns) = information.message().strip_prefix("UNIQUE constraint failed: ")
            && let Some(entity) = entity_of(columns)
        {
            return conflict(entity);
        }
        error.into()
    }
}

/// What a driver said: no type of diesel's leaves this crate.
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
