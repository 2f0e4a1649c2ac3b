//! The driver's errors in diesel's form, sorted by SQLSTATE.

use std::error::Error as StdError;

use diesel::{
    ConnectionError,
    result::{DatabaseErrorInformation, DatabaseErrorKind, Error},
};
use latchkey_ports::ErrorChain;
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

use crate::errors::LOSES_STATEMENTS;

/// Keeps the sources of an error, which say why: diesel keeps the text alone.
pub(super) fn bad_connection(error: &(dyn StdError + 'static)) -> ConnectionError {
    ConnectionError::BadConnection(ErrorChain(error).to_string())
}

/// Converts a driver's error. [`DatabaseErrorKind::UnableToSendCommand`] stands for every other error that may pass.
#[expect(clippy::needless_pass_by_value, reason = "the form that `map_err` takes")]
pub(super) fn driver_error(error: tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(error) => Error::DatabaseError(kind(error.code()), Box::new(ServerError::from(error))),
        None => Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand, Box::new(error.to_string())),
    }
}

fn kind(state: &SqlState) -> DatabaseErrorKind {
    match *state {
        SqlState::UNIQUE_VIOLATION => DatabaseErrorKind::UniqueViolation,
        SqlState::FOREIGN_KEY_VIOLATION => DatabaseErrorKind::ForeignKeyViolation,
        SqlState::NOT_NULL_VIOLATION => DatabaseErrorKind::NotNullViolation,
        SqlState::CHECK_VIOLATION => DatabaseErrorKind::CheckViolation,
        // A standby, or a demoted primary.
        SqlState::READ_ONLY_SQL_TRANSACTION => DatabaseErrorKind::ReadOnlyTransaction,
        SqlState::T_R_SERIALIZATION_FAILURE => DatabaseErrorKind::SerializationFailure,
        _ if may_pass(state) => DatabaseErrorKind::UnableToSendCommand,
        _ => DatabaseErrorKind::Unknown,
    }
}

/// Classes of SQLSTATE: connection exceptions, transaction rollback, insufficient resources, operator intervention (which
/// includes shutdown and a cancelled or timed out statement), and system errors.
const PASSING_CLASSES: [&str; 5] = ["08", "40", "53", "57", "58"];

fn may_pass(state: &SqlState) -> bool {
    let single = [SqlState::LOCK_NOT_AVAILABLE, SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT];
    single.contains(state)
        || is_lost_statement(state)
        || PASSING_CLASSES.iter().any(|class| state.code().starts_with(class))
}

/// The session lacks a prepared statement, or has one of that name already: it is another session than before.
fn is_lost_statement(state: &SqlState) -> bool {
    [SqlState::INVALID_SQL_STATEMENT_NAME, SqlState::DUPLICATE_PSTATEMENT].contains(state)
}

struct ServerError {
    message: String,
    error: DbError,
}

impl From<&DbError> for ServerError {
    fn from(error: &DbError) -> Self {
        let said = error.message();
        let message = if is_lost_statement(error.code()) {
            format!("{LOSES_STATEMENTS} ({said})")
        } else {
            said.to_owned()
        };
        Self { message, error: error.clone() }
    }
}

impl DatabaseErrorInformation for ServerError {
    fn message(&self) -> &str {
        &self.message
    }

    fn details(&self) -> Option<&str> {
        self.error.detail()
    }

    fn hint(&self) -> Option<&str> {
        self.error.hint()
    }

    fn table_name(&self) -> Option<&str> {
        self.error.table()
    }

    fn column_name(&self) -> Option<&str> {
        self.error.column()
    }

    fn constraint_name(&self) -> Option<&str> {
        self.error.constraint()
    }

    fn statement_position(&self) -> Option<i32> {
        match self.error.position()? {
            ErrorPosition::Original(position) => i32::try_from(*position).ok(),
            ErrorPosition::Internal { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_sorted_by_whether_they_may_pass() {
        for code in ["08006", "40P01", "53300", "53100", "57014", "57P01", "57P03", "55P03", "58030"] {
            let kind = kind(&SqlState::from_code(code));
            assert!(matches!(kind, DatabaseErrorKind::UnableToSendCommand), "{code}: {kind:?}");
        }
        let read_only = kind(&SqlState::from_code("25006"));
        assert!(matches!(read_only, DatabaseErrorKind::ReadOnlyTransaction), "{read_only:?}");
        for code in ["42501", "42703", "42P01", "42601", "22001", "23001", "0A000", "XX000"] {
            let kind = kind(&SqlState::from_code(code));
            assert!(matches!(kind, DatabaseErrorKind::Unknown), "{code}: {kind:?}");
        }
    }
}
