//! The embedded migrations.

use diesel::{SqliteConnection, migration::MigrationSource, sqlite::Sqlite};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{errors::OpenError, store::Location};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../../migrations/sqlite");

enum Fault {
    Newer(String),
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

impl From<diesel::result::Error> for Fault {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Runs what is pending, and says how many migrations that were.
///
/// What is pending is asked within one transaction that nobody else writes beside: of two processes that start at
/// once, the second waits (for at most its busy timeout) and finds nothing left to do.
pub(crate) fn run(connection: &mut SqliteConnection, location: &Location) -> Result<usize, OpenError> {
    connection
        .immediate_transaction(|connection| {
            if let Some(version) = unknown_version(connection).map_err(Fault::Failed)? {
                return Err(Fault::Newer(version));
            }
            let done = connection.run_pending_migrations(MIGRATIONS).map_err(Fault::Failed)?;
            Ok(done.len())
        })
        .map_err(|fault| match fault {
            Fault::Newer(version) => OpenError::NewerSchema { location: location.clone(), version },
            Fault::Failed(source) => OpenError::Migration { location: location.clone(), source },
        })
}

/// A migration that the database has and this program does not know.
fn unknown_version(
    connection: &mut SqliteConnection,
) -> Result<Option<String>, Box<dyn std::error::Error + Send + Sync>> {
    let known: Vec<String> = MigrationSource::<Sqlite>::migrations(&MIGRATIONS)?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let applied = connection.applied_migrations()?;
    let unknown = applied.iter().map(ToString::to_string).find(|version| !known.contains(version));
    Ok(unknown)
}
