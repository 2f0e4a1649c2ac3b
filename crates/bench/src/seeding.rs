//! Fills databases with tokens in addition to those of the measured project.

use std::path::Path;

use anyhow::Context as _;
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use latchkey_testkit::cluster::connect;

use crate::floor::TOKENS_OF_PROJECT;

/// Fills a PostgreSQL database that already holds the measured project up to this many tokens, in projects of the same
/// size, then runs `VACUUM ANALYZE`, as autovacuum would do later.
///
/// # Errors
/// When a statement fails, for example because the schema has changed.
pub async fn fill_postgres(url: &str, tokens: u32) -> anyhow::Result<()> {
    let client = connect(url).await?;
    let setting = format!("SET bench.projects = {}", projects(tokens)?);
    client.batch_execute(&setting).await?;
    client
        .batch_execute(include_str!("../sql/postgres_fill.sql"))
        .await
        .context("cannot fill the database: update crates/bench/sql to match migrations/postgres")?;
    client.batch_execute("VACUUM ANALYZE").await?;
    Ok(())
}

/// Fills the database of an Unleash server, like [`fill_postgres`].
///
/// # Errors
/// When a statement fails, for example because Unleash has another version.
pub async fn fill_reference(url: &str, tokens: u32) -> anyhow::Result<()> {
    let client = connect(url).await?;
    client.batch_execute(&format!("SET bench.projects = {}", projects(tokens)?)).await?;
    client
        .batch_execute(include_str!("../sql/reference_fill.sql"))
        .await
        .context("cannot fill the database of Unleash: install unleash-server@6.10.1")?;
    client.batch_execute("VACUUM ANALYZE").await?;
    Ok(())
}

/// Fills a PostgreSQL database with this many projects of 1,000 tokens each, and with users, members and events.
///
/// # Errors
/// When a statement fails, for example because the schema has changed.
pub async fn fill_lists(url: &str, projects: u32) -> anyhow::Result<()> {
    let client = connect(url).await?;
    client.batch_execute(&format!("SET bench.projects = {projects}")).await?;
    client
        .batch_execute(include_str!("../sql/postgres_fill_lists.sql"))
        .await
        .context("cannot fill the database: update crates/bench/sql to match migrations/postgres")?;
    client.batch_execute("VACUUM ANALYZE").await?;
    Ok(())
}

/// Fills an SQLite database, like [`fill_postgres`], while the server has it open.
///
/// # Errors
/// When a statement fails, for example because the schema has changed.
pub fn fill_sqlite(database: &Path, tokens: u32) -> anyhow::Result<()> {
    let mut connection = SqliteConnection::establish(&database.display().to_string())?;
    connection.batch_execute(&format!(
        "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; CREATE TEMP TABLE bench AS SELECT {} AS projects;",
        projects(tokens)?
    ))?;
    connection
        .batch_execute(include_str!("../sql/sqlite_fill.sql"))
        .context("cannot fill the database: update crates/bench/sql to match migrations/sqlite")?;
    Ok(())
}

/// Returns the number of projects to add to the measured project.
fn projects(tokens: u32) -> anyhow::Result<u32> {
    Ok((tokens / u32::try_from(TOKENS_OF_PROJECT)?).saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite_query::count_tokens_of_project;

    #[test]
    fn the_measured_project_is_included_in_the_number_of_tokens() {
        assert_eq!(projects(1_000).expect("a number"), 99);
        assert_eq!(projects(5).expect("a number"), 0);
    }

    /// No server creates the measured project's tokens here: a seeded project has as many.
    #[test]
    fn the_sqlite_script_matches_the_migrations() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("latchkey.db");
        let mut connection = SqliteConnection::establish(&path.display().to_string()).expect("a database");
        for schema in [
            include_str!("../../../migrations/sqlite/0001_first_schema/up.sql"),
            include_str!("../../../migrations/sqlite/0002_access_model/up.sql"),
        ] {
            connection.batch_execute(schema).expect("the schema");
        }
        fill_sqlite(&path, 1_000).expect("filled");
        for (project, tokens) in [("seed-1", 10), ("seed-99", 10), ("default", 0), ("seed-100", 0)] {
            let found = count_tokens_of_project(&mut connection, project).expect("counted");
            assert_eq!(found, tokens, "{project}");
        }
    }
}
