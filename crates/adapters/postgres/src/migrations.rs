//! The embedded migrations.

use diesel::{migration::MigrationSource, pg::Pg};
use diesel_async::{
    AnsiTransactionManager, AsyncMigrationHarness, SimpleAsyncConnection, TransactionManager,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use tokio::task::spawn_blocking;

use crate::{connection::Connection, errors::OpenError, locks::lock};

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../../migrations/postgres");

/// Held by whoever migrates: "latchkey" in ASCII.
const LOCK: i64 = 0x6c61_7463_686b_6579;

/// Runs what is pending, and says how many migrations that were. Of two processes that start at once, the second waits
/// and finds nothing left to do.
///
/// All of it is one transaction, with a lock that ends with it: behind a pooler, a lock of the session would stay with
/// a session that belongs to somebody else by then.
pub(crate) async fn run(mut connection: Connection) -> Result<usize, OpenError> {
    let failed = |error: diesel::result::Error| OpenError::of_migrating(Box::new(error));
    AnsiTransactionManager::begin_transaction(&mut connection).await.map_err(failed)?;
    // Another process's migration may take longer than any statement should.
    let limits = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
    connection.batch_execute(limits).await.map_err(failed)?;
    lock(&mut connection, LOCK).await.map_err(|error| OpenError::of_migrating(Box::new(error)))?;
    // The harness drives the connection from a thread that it blocks.
    let migrating = spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(connection);
        migrate(&mut harness).map(|done| (done, harness.into_inner()))
    });
    // After a failure the connection is dropped, and what was done with it is undone.
    let (done, mut connection) =
        migrating.await.map_err(|error| OpenError::of_migrating(Box::new(error)))??;
    AnsiTransactionManager::commit_transaction(&mut connection).await.map_err(failed)?;
    Ok(done)
}

fn migrate(harness: &mut AsyncMigrationHarness<Connection>) -> Result<usize, OpenError> {
    let known: Vec<String> = MigrationSource::<Pg>::migrations(&MIGRATIONS)
        .map_err(OpenError::of_migrating)?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let applied = harness.applied_migrations().map_err(OpenError::of_migrating)?;
    if let Some(version) = applied.iter().map(ToString::to_string).find(|version| !known.contains(version)) {
        return Err(OpenError::NewerSchema { version });
    }
    let done = harness.run_pending_migrations(MIGRATIONS).map_err(OpenError::of_migrating)?;
    Ok(done.len())
}
