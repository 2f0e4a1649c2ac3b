//! The migrations of both stores, embedded from `migrations/` at build time.

use diesel::{
    backend::Backend,
    migration::{MigrationSource, MigrationVersion, Result},
};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

/// The migrations of PostgreSQL.
#[cfg(feature = "postgres")]
pub const POSTGRES: EmbeddedMigrations = embed_migrations!("../../../migrations/postgres");

/// A fingerprint of the migrations of PostgreSQL: it differs as soon as one of them does.
#[cfg(feature = "postgres")]
pub const POSTGRES_FINGERPRINT: &str = env!("LATCHKEY_POSTGRES_MIGRATIONS");

/// The migrations of SQLite.
#[cfg(feature = "sqlite")]
pub const SQLITE: EmbeddedMigrations = embed_migrations!("../../../migrations/sqlite");

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
