//! The migrations of both stores, embedded from `migrations/` at build time.

use std::error::Error;

use diesel::{
    backend::Backend,
    migration::{MigrationSource, MigrationVersion, Result},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use latchkey_ports::{ArchiveError, SchemaState, StoreError};

/// The migrations of PostgreSQL.
#[cfg(feature = "postgres")]
pub const POSTGRES: EmbeddedMigrations = embed_migrations!("../../../migrations/postgres");

/// A fingerprint of the migrations of PostgreSQL: it differs as soon as one of them does.
#[cfg(feature = "postgres")]
pub const POSTGRES_FINGERPRINT: &str = env!("LATCHKEY_POSTGRES_MIGRATIONS");

/// The migrations of SQLite.
#[cfg(feature = "sqlite")]
pub const SQLITE: EmbeddedMigrations = embed_migrations!("../../../migrations/sqlite");

/// The version of the schema: the number of the last migration of either database.
pub const SCHEMA: u32 = match u32::from_str_radix(env!("LATCHKEY_SCHEMA"), 10) {
    Ok(number) => number,
    Err(_) => panic!("the build script writes a number"),
};

/// The table in which diesel records which migrations were applied.
pub const RECORDS: &str = "__diesel_schema_migrations";

/// Which pending migrations run.
#[derive(Debug, Clone, Copy)]
pub enum Pending {
    /// All.
    All,
    /// Those up to this number.
    UpTo(u32),
}

/// Why migrations cannot run.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// A newer program was there.
    #[error("it has the migration {0}, which this program does not know: use a newer Latchkey")]
    Newer(String),
    /// The database refused.
    #[error("it cannot be brought up to date")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

impl From<diesel::result::Error> for MigrationError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<MigrationError> for ArchiveError {
    fn from(error: MigrationError) -> Self {
        StoreError::Fault(Box::new(error)).into()
    }
}

/// Runs pending migrations in the transaction of the caller, and returns their number.
///
/// # Errors
/// See [`MigrationError`].
pub fn apply<DB: Backend>(
    harness: &mut impl MigrationHarness<DB>,
    migrations: EmbeddedMigrations,
    pending: Pending,
) -> std::result::Result<usize, MigrationError> {
    let applied = harness.applied_migrations().map_err(MigrationError::Failed)?;
    if let Some(version) = unknown_version::<DB>(&migrations, &applied).map_err(MigrationError::Failed)? {
        return Err(MigrationError::Newer(version));
    }
    let mut migrations = harness.pending_migrations(migrations).map_err(MigrationError::Failed)?;
    if let Pending::UpTo(last) = pending {
        migrations.retain(|migration| number(&migration.name().version()) <= last);
    }
    let done = harness.run_migrations(&migrations).map_err(MigrationError::Failed)?;
    Ok(done.len())
}

/// Returns the number of a migration: its version is the number of its folder.
fn number(version: &impl ToString) -> u32 {
    version.to_string().parse().unwrap_or_default()
}

/// Returns the state of a database in which the migrations of these versions were applied.
///
/// # Errors
/// The migrations cannot be read.
pub fn state<DB: Backend>(migrations: &EmbeddedMigrations, applied: &[String]) -> Result<SchemaState> {
    let known = versions::<DB>(migrations)?;
    Ok(SchemaState {
        last: applied.iter().map(number).max().unwrap_or_default(),
        pending: known.iter().filter(|version| !applied.contains(version)).count(),
        is_newer: applied.iter().any(|version| !known.contains(version)),
    })
}

/// Returns the versions of all migrations, in order.
///
/// # Errors
/// The migrations cannot be read.
pub fn versions<DB: Backend>(migrations: &EmbeddedMigrations) -> Result<Vec<String>> {
    let migrations = MigrationSource::<DB>::migrations(migrations)?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}

/// Returns a migration that the database has and this program does not know.
fn unknown_version<DB: Backend>(
    migrations: &EmbeddedMigrations,
    applied: &[MigrationVersion<'_>],
) -> Result<Option<String>> {
    let known = versions::<DB>(migrations)?;
    Ok(applied.iter().map(ToString::to_string).find(|version| !known.contains(version)))
}
