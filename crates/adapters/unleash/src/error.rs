//! Why an Unleash database could not be read or written.

use tokio_postgres::{Error, error::SqlState};

/// Why an Unleash database could not be read.
#[derive(Debug, thiserror::Error)]
pub enum UnleashError {
    #[error(
        "there is no Unleash database in the schema {schema:?}: it has no table {table}. Name the database of the server, and with --schema its DATABASE_SCHEMA"
    )]
    NotUnleash { schema: String, table: &'static str },
    #[error(
        "the user of the database may not read all of it: use the user of the Unleash server, or grant SELECT on all tables of the schema"
    )]
    Forbidden(#[source] Error),
    #[error("the Unleash database cannot be read")]
    Database(#[from] Error),
    /// Users or groups have the role Editor, and it means less in Unleash than here.
    #[error(
        "{users} users and {groups} groups have the role Editor: in Unleash it works with tokens in the project \"default\" alone, here in every project, and there are {projects}. Choose --editor=default (they keep what they have) or --editor=everywhere"
    )]
    EditorUndecided { users: usize, groups: usize, projects: usize },
}

/// Sorts an error by what an operator can do.
pub(crate) fn forbidden(error: Error) -> UnleashError {
    if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
        UnleashError::Forbidden(error)
    } else {
        UnleashError::Database(error)
    }
}
