//! What a driver's error means to a caller, decided here and nowhere else.

use diesel::result::{DatabaseErrorKind, Error};
use latchkey_domain::SessionId;
use latchkey_ports::{Entity, Inconsistency, StoreError};

/// Why work in a transaction failed. Either variant rolls the transaction back.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The answer for the caller.
    #[error(transparent)]
    Answer(#[from] StoreError),
    /// The driver's error.
    #[error(transparent)]
    Driver(#[from] Error),
}

impl From<Inconsistency> for DbError {
    fn from(inconsistency: Inconsistency) -> Self {
        Self::Answer(inconsistency.into())
    }
}

impl From<DbError> for StoreError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Answer(answer) => answer,
            DbError::Driver(error) => store_error(error),
        }
    }
}

/// Returns the answer to a driver's error: the store is unavailable if a later attempt may succeed, and at fault
/// otherwise.
#[must_use]
pub fn store_error(error: Error) -> StoreError {
    if is_transient(&error) { unavailable(error) } else { StoreError::Fault(Box::new(error)) }
}

/// The store did not answer; a later attempt may succeed.
pub fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

/// Messages of SQLite's transient errors. Diesel passes on no result code of SQLite's, and SQLite does not translate its
/// messages. PostgreSQL's are told apart by SQLSTATE where they arise, and never come here as
/// [`DatabaseErrorKind::Unknown`].
const SQLITE_TRANSIENT: [&str; 7] = [
    "is locked",
    "locking protocol",
    "disk I/O error",
    "database or disk is full",
    "unable to open database file",
    "out of memory",
    "interrupted",
];

fn is_transient(error: &Error) -> bool {
    match error {
        Error::DatabaseError(kind, information) => match kind {
            DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::SerializationFailure
            // PostgreSQL: a standby. Clients are led to the primary.
            | DatabaseErrorKind::ReadOnlyTransaction => true,
            DatabaseErrorKind::Unknown => {
                SQLITE_TRANSIENT.iter().any(|text| information.message().contains(text))
            }
            _ => false,
        },
        // A transaction that could not be ended takes its connection along; the next attempt gets another.
        Error::BrokenTransactionManager => true,
        Error::RollbackErrorOnCommit { commit_error, .. } => is_transient(commit_error),
        _ => false,
    }
}

/// The entity does not exist.
#[must_use]
pub fn not_found(entity: Entity) -> DbError {
    DbError::Answer(StoreError::NotFound(entity))
}

/// The entity exists already.
#[must_use]
pub fn conflict(entity: Entity) -> DbError {
    DbError::Answer(StoreError::Conflict(entity))
}

/// The entity was changed by another caller meanwhile.
#[must_use]
pub fn stale(entity: Entity) -> DbError {
    DbError::Answer(StoreError::Stale(entity))
}

/// For `map_err` of an insertion or an update: finds the entity that exists already by the constraint that was violated.
/// PostgreSQL names the constraint, SQLite its columns (`table.column, table.column`).
pub fn conflict_of(entity_of: impl FnOnce(&str) -> Option<Entity>) -> impl FnOnce(Error) -> DbError {
    move |error| {
        if let Error::DatabaseError(DatabaseErrorKind::UniqueViolation, information) = &error {
            let columns = || information.message().strip_prefix("UNIQUE constraint failed: ");
            if let Some(entity) = information.constraint_name().or_else(columns).and_then(entity_of) {
                return conflict(entity);
            }
        }
        error.into()
    }
}

/// Returns what two users have in common, by the constraint.
#[must_use]
pub fn user_conflict(constraint: &str) -> Option<Entity> {
    let constraints = [
        "users_username_unique",
        "users_email_unique",
        "login_names_unique",
        "users.username",
        "users.email_key",
        "login_names.name",
    ];
    constraints.contains(&constraint).then_some(Entity::UserIdentity)
}

/// Returns what two roles have in common, by the constraint.
#[must_use]
pub fn role_conflict(constraint: &str) -> Option<Entity> {
    ["roles_name_unique", "roles.name"].contains(&constraint).then_some(Entity::RoleName)
}

/// Returns what two groups have in common, by the constraint.
#[must_use]
pub fn group_conflict(constraint: &str) -> Option<Entity> {
    ["user_groups_name_unique", "user_groups.name"].contains(&constraint).then_some(Entity::GroupName)
}

/// Returns what two sessions have in common, by the constraint.
#[must_use]
pub fn session_conflict(id: SessionId, constraint: &str) -> Option<Entity> {
    match constraint {
        "sessions_id_unique" | "sessions.id" => Some(Entity::Session(id)),
        "sessions_secret_unique" | "sessions.secret_digest" => Some(Entity::Secret),
        _ => None,
    }
}

/// Returns what two personal access tokens have in common, by the constraint.
#[must_use]
pub fn personal_token_conflict(constraint: &str) -> Option<Entity> {
    match constraint {
        "personal_tokens_secret_unique" | "personal_tokens.secret_digest" => Some(Entity::Secret),
        "personal_tokens_description_unique" | "personal_tokens.user_id, personal_tokens.description" => {
            Some(Entity::PersonalTokenDescription)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(kind: DatabaseErrorKind, message: &str) -> StoreError {
        store_error(Error::DatabaseError(kind, Box::new(message.to_owned())))
    }

    #[test]
    fn a_passing_error_is_unavailability() {
        for answer in [
            answer(DatabaseErrorKind::Unknown, "database is locked"),
            answer(DatabaseErrorKind::Unknown, "database or disk is full"),
            answer(DatabaseErrorKind::ClosedConnection, "connection closed"),
            answer(DatabaseErrorKind::SerializationFailure, "could not serialize access"),
            answer(
                DatabaseErrorKind::ReadOnlyTransaction,
                "cannot execute INSERT in a read-only transaction",
            ),
        ] {
            assert!(matches!(answer, StoreError::Unavailable(_)), "{answer:?}");
        }
    }

    #[test]
    fn an_error_that_stays_is_a_fault() {
        for answer in [
            answer(DatabaseErrorKind::Unknown, "no such column: name"),
            answer(DatabaseErrorKind::CheckViolation, "CHECK constraint failed: length(id) = 16"),
            answer(DatabaseErrorKind::Unknown, "attempt to write a readonly database"),
            store_error(Error::NotFound),
        ] {
            assert!(matches!(answer, StoreError::Fault(_)), "{answer:?}");
        }
    }
}
