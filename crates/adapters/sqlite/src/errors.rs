//! Errors of opening and migrating the store, with messages for operators.

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

/// The work on a connection panicked, which is logged where it happened.
#[derive(Debug, thiserror::Error)]
#[error("the work on the database panicked")]
pub(crate) struct Panicked;

/// An error of the driver. No type of diesel leaves this crate.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the store could not be opened or migrated.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the names of fields and variants, and the messages, say it")]
pub enum OpenError {
    #[error("the directory {} of the database cannot be created", path.display())]
    Directory { path: PathBuf, source: io::Error },
    #[error("the database {} cannot be created or written", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("the path {} of the database is not valid UTF-8", path.display())]
    PathNotUtf8 { path: PathBuf },
    #[error("{location} is not an SQLite database, or it is damaged; it was left as it is")]
    NotADatabase { location: Location, source: Cause },
    #[error(
        "{location} cannot be written: its directory has to be writable too, for the files -wal and -shm"
    )]
    NotWritable { location: Location, source: Cause },
    #[error("{location} is locked by another process")]
    Locked { location: Location, source: Cause },
    #[error("{location} cannot be opened")]
    Connection { location: Location, source: Cause },
    #[error("{location} cannot be used")]
    Database { location: Location, source: Cause },
    #[error(
        "{location} was written by a newer Latchkey: it has the migration {version}, which this program does not know"
    )]
    NewerSchema { location: Location, version: String },
    #[error("{location} could not be brought up to date; nothing was changed")]
    Migration { location: Location, source: Cause },
    #[error("a thread for the database cannot be started")]
    Thread(#[source] io::Error),
}

impl OpenError {
    /// Sorts an error of SQLite by what an operator can do.
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
