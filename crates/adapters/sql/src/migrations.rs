//! The migrations of both stores, embedded from `migrations/` at build time.

use diesel::{
    backend::Backend,
    migration::{MigrationSource, MigrationVersion, Result},
};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use latchkey_ports::SchemaState;

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

/// Returns the number of a migration: its version is the number of its folder.
#[must_use]
pub fn number(version: &impl ToString) -> u32 {
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

/// Returns a migration that the database has and this program does not know: a newer program was there.
///
/// # Errors
/// The migrations cannot be read.
pub fn unknown_version<DB: Backend>(
    migrations: &EmbeddedMigrations,
    applied: &[MigrationVersion<'_>],
) -> Result<Option<String>> {
    let known = versions::<DB>(migrations)?;
    Ok(applied.iter().map(ToString::to_string).find(|version| !known.contains(version)))
}
