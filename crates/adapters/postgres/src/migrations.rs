//! The embedded migrations.

use diesel::{migration::MigrationSource, pg::Pg, sql_query, sql_types::BigInt};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use tokio::task::spawn_blocking;

use crate::OpenError;

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../../migrations/postgres");

/// Held by whoever migrates: "latchkey" in ASCII.
const LOCK: i64 = 0x6c61_7463_686b_6579;

/// Runs what is pending, and says how many migrations that were. Of two processes that start at once, the second waits
/// and finds nothing left to do; the lock goes with the connection, which is not used again.
pub(crate) async fn run(mut connection: AsyncPgConnection) -> Result<usize, OpenError> {
    let failed = |error| OpenError::Migration(Box::new(error));
    // Another process's migration may take longer than any statement should.
    sql_query("SET statement_timeout = 0").execute(&mut connection).await.map_err(failed)?;
    let lock = sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(LOCK);
    lock.execute(&mut connection).await.map_err(failed)?;
    // The harness drives the connection from a thread that it blocks.
    let migrated = spawn_blocking(move || migrate(&mut AsyncMigrationHarness::new(connection)));
    migrated.await.map_err(|error| OpenError::Migration(Box::new(error)))?
}

fn migrate(harness: &mut AsyncMigrationHarness<AsyncPgConnection>) -> Result<usize, OpenError> {
    let known: Vec<String> = MigrationSource::<Pg>::migrations(&MIGRATIONS)
        .map_err(OpenError::Migration)?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let applied = harness.applied_migrations().map_err(OpenError::Migration)?;
    if let Some(version) = applied.iter().map(ToString::to_string).find(|version| !known.contains(version)) {
        return Err(OpenError::NewerSchema { version });
    }
    let done = harness.run_pending_migrations(MIGRATIONS).map_err(OpenError::Migration)?;
    Ok(done.len())
}
