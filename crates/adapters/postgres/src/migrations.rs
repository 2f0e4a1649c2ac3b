//! Brings the tables up to date.

use diesel::{
    QueryableByName,
    pg::Pg,
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::{
    AnsiTransactionManager, AsyncMigrationHarness, RunQueryDsl, SimpleAsyncConnection, TransactionManager,
};
use latchkey_ports::SchemaState;
use latchkey_sql::migrations::{MigrationError, POSTGRES, Pending, RECORDS};
use tokio::task::spawn_blocking;

use crate::{connection::Connection, errors::OpenError, locks::lock};

/// The advisory lock of a process that migrates: "latchkey" in ASCII.
const LOCK: i64 = 0x6c61_7463_686b_6579;

/// Runs the pending migrations and returns their number. Of two processes that start at once, the second waits and finds
/// nothing left to do.
///
/// All of it is one transaction, with a lock that ends with it: behind a pooler, a lock of the session would stay with a
/// session that belongs to another client by then.
pub(crate) async fn run(mut connection: Connection) -> Result<usize, OpenError> {
    begin(&mut connection).await?;
    let (done, mut connection) = apply(connection, Pending::All).await?;
    AnsiTransactionManager::commit_transaction(&mut connection).await.map_err(failed)?;
    Ok(done)
}

/// Begins a transaction that migrates.
pub(crate) async fn begin(connection: &mut Connection) -> Result<(), OpenError> {
    AnsiTransactionManager::begin_transaction(connection).await.map_err(failed)?;
    // Another process's migration may take longer than any statement should.
    let limits = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
    connection.batch_execute(limits).await.map_err(failed)?;
    lock(connection, LOCK).await.map_err(|error| OpenError::of_migrating(Box::new(error)))
}

/// Runs pending migrations in the transaction of the caller, and returns their number. After a failure the connection is
/// dropped, and what was done with it is undone.
pub(crate) async fn apply(
    connection: Connection,
    pending: Pending,
) -> Result<(usize, Connection), OpenError> {
    on_harness(connection, move |harness| {
        latchkey_sql::migrations::apply::<Pg>(harness, POSTGRES, pending).map_err(|error| match error {
            MigrationError::Newer(version) => OpenError::NewerSchema { version },
            MigrationError::Failed(source) => OpenError::of_migrating(source),
        })
    })
    .await
}

/// Returns which migrations the database has. Changes nothing.
pub(crate) async fn state(connection: &mut Connection) -> Result<SchemaState, OpenError> {
    let found = sql_query(format!("SELECT coalesce(to_regclass('{RECORDS}')::oid::bigint, 0) AS oid"));
    let Records { oid } = found.get_result(connection).await.map_err(failed)?;
    let mut applied = Vec::new();
    if oid != 0 {
        let select = sql_query(format!("SELECT version FROM {RECORDS}"));
        let versions: Vec<Applied> = select.load(connection).await.map_err(failed)?;
        applied.extend(versions.into_iter().map(|applied| applied.version));
    }
    latchkey_sql::migrations::state::<Pg>(&POSTGRES, &applied).map_err(OpenError::of_migrating)
}

#[derive(QueryableByName)]
struct Records {
    /// 0 if there is no such table.
    #[diesel(sql_type = BigInt)]
    oid: i64,
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
}

/// The harness drives the connection from a thread that it blocks.
async fn on_harness<T: Send + 'static>(
    connection: Connection,
    work: impl FnOnce(&mut AsyncMigrationHarness<Connection>) -> Result<T, OpenError> + Send + 'static,
) -> Result<(T, Connection), OpenError> {
    let working = spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(connection);
        work(&mut harness).map(|done| (done, harness.into_inner()))
    });
    working.await.map_err(|error| OpenError::of_migrating(Box::new(error)))?
}

fn failed(error: diesel::result::Error) -> OpenError {
    OpenError::of_migrating(Box::new(error))
}
