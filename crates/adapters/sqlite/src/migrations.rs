//! Brings the tables up to date.

use diesel::{SqliteConnection, sqlite::Sqlite};
use diesel_migrations::MigrationHarness;
use latchkey_sql::migrations::{SQLITE, unknown_version};

use crate::{Location, OpenError};

enum MigrationError {
    Newer(String),
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

impl From<diesel::result::Error> for MigrationError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Runs the pending migrations and returns their number.
///
/// They are looked up within the transaction that runs them: of two processes that start at once, the second waits (for at
/// most its busy timeout) and finds nothing left to do.
pub(crate) fn run(connection: &mut SqliteConnection, location: &Location) -> Result<usize, OpenError> {
    connection
        .immediate_transaction(|connection| {
            let applied = connection.applied_migrations().map_err(MigrationError::Failed)?;
            let unknown = unknown_version::<Sqlite>(&SQLITE, &applied).map_err(MigrationError::Failed)?;
            if let Some(version) = unknown {
                return Err(MigrationError::Newer(version));
            }
            let done = connection.run_pending_migrations(SQLITE).map_err(MigrationError::Failed)?;
            Ok(done.len())
        })
        .map_err(|error| match error {
            MigrationError::Newer(version) => OpenError::NewerSchema { location: location.clone(), version },
            MigrationError::Failed(source) => OpenError::Migration { location: location.clone(), source },
        })
}
