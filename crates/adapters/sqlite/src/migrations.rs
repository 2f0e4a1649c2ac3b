//! Brings the tables up to date.

use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types::Text, sqlite::Sqlite};
use diesel_migrations::MigrationHarness;
use latchkey_ports::{ArchiveError, SchemaState, StoreError};
use latchkey_sql::migrations::{RECORDS, SQLITE, number, unknown_version};

use crate::{Location, OpenError};

/// Why migrations cannot run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MigrationError {
    #[error("it has the migration {0}, which this program does not know: use a newer Latchkey")]
    Newer(String),
    #[error("it cannot be brought up to date")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<MigrationError> for ArchiveError {
    fn from(error: MigrationError) -> Self {
        StoreError::Fault(Box::new(error)).into()
    }
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
    connection.immediate_transaction(|connection| apply(connection, None)).map_err(|error| match error {
        MigrationError::Newer(version) => OpenError::NewerSchema { location: location.clone(), version },
        MigrationError::Failed(source) => OpenError::Migration { location: location.clone(), source },
    })
}

/// Runs the pending migrations up to this number, or all, in the transaction of the caller, and returns their number.
pub(crate) fn apply(connection: &mut SqliteConnection, last: Option<u32>) -> Result<usize, MigrationError> {
    let applied = connection.applied_migrations().map_err(MigrationError::Failed)?;
    if let Some(version) = unknown_version::<Sqlite>(&SQLITE, &applied).map_err(MigrationError::Failed)? {
        return Err(MigrationError::Newer(version));
    }
    let mut pending = connection.pending_migrations(SQLITE).map_err(MigrationError::Failed)?;
    if let Some(last) = last {
        pending.retain(|migration| number(&migration.name().version()) <= last);
    }
    let done = connection.run_migrations(&pending).map_err(MigrationError::Failed)?;
    Ok(done.len())
}

/// Returns which migrations the database has. Changes nothing.
pub(crate) fn state(connection: &mut SqliteConnection) -> Result<SchemaState, MigrationError> {
    let tables = sql_query("SELECT name AS text FROM sqlite_schema WHERE type = 'table' AND name = ?1");
    let found: Vec<Row> = tables.bind::<Text, _>(RECORDS).load(connection)?;
    let mut applied = Vec::new();
    if !found.is_empty() {
        let versions: Vec<Row> =
            sql_query(format!("SELECT version AS text FROM {RECORDS}")).load(connection)?;
        applied.extend(versions.into_iter().map(|row| row.text));
    }
    latchkey_sql::migrations::state::<Sqlite>(&SQLITE, &applied).map_err(MigrationError::Failed)
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    text: String,
}
