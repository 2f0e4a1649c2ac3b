//! Brings the tables up to date.

use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types::Text, sqlite::Sqlite};
use latchkey_ports::SchemaState;
use latchkey_sql::migrations::{MigrationError, Pending, RECORDS, SQLITE, apply};

use crate::{Location, OpenError};

/// Runs the pending migrations and returns their number.
///
/// They are looked up within the transaction that runs them: of two processes that start at once, the second waits (for at
/// most its busy timeout) and finds nothing left to do.
pub(crate) fn run(connection: &mut SqliteConnection, location: &Location) -> Result<usize, OpenError> {
    let migrated =
        connection.immediate_transaction(|connection| apply::<Sqlite>(connection, SQLITE, Pending::All));
    migrated.map_err(|error| match error {
        MigrationError::Newer(version) => OpenError::NewerSchema { location: location.clone(), version },
        MigrationError::Failed(source) => OpenError::Migration { location: location.clone(), source },
    })
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
