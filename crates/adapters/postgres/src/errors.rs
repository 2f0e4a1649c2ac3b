//! What a driver's error means to a caller, decided here and nowhere else.

use diesel::result::{DatabaseErrorKind, Error};
use latchkey_ports::{Entity, Inconsistency, StoreError};

/// How work in a transaction fails: with an answer for the caller, or with an error of the driver that means no more
/// than that the store is unavailable. Either undoes the transaction.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// An answer for the caller.
    #[error(transparent)]
    Answer(#[from] StoreError),
    /// The driver's error.
    #[error(transparent)]
    Driver(#[from] Error),
}

impl From<Inconsistency> for Failure {
    fn from(inconsistency: Inconsistency) -> Self {
        Self::Answer(inconsistency.into())
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Answer(answer) => answer,
            // Connections, time-outs, shutdowns, a full disk. References to what is not there, and what is there
            // already, were found before.
            Failure::Driver(error) => unavailable(error),
        }
    }
}

/// The store could not answer.
pub(crate) fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    if is_lost_statement(&error) {
        return StoreError::Unavailable(Box::new(LostStatement(Box::new(error))));
    }
    StoreError::Unavailable(Box::new(error))
}

/// What an operator is told about it.
pub(crate) const LOSES_STATEMENTS: &str = "the database loses prepared statements: if a pooler in transaction mode stands \
    before it, set database.transaction_pooler = true";

/// The database does not have what was prepared, or has it already: it is another session than before.
#[derive(Debug, thiserror::Error)]
#[error("{}", LOSES_STATEMENTS)]
pub(crate) struct LostStatement(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Whether the database says so (SQLSTATE 26000 and 42P05, which the driver keeps to itself; the name is one that it
/// gave). In another language than English it may be missed: then the log still has the database's own words.
pub(crate) fn is_lost_statement(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| {
        let text = error.to_string();
        text.contains("prepared statement \"s")
            && (text.contains("does not exist") || text.contains("already exists"))
    })
}

/// That does not exist.
pub(crate) fn not_found(entity: Entity) -> Failure {
    Failure::Answer(StoreError::NotFound(entity))
}

/// That was changed by somebody else meanwhile.
pub(crate) fn stale(entity: Entity) -> Failure {
    Failure::Answer(StoreError::Stale(entity))
}

/// That is there already.
pub(crate) fn conflict(entity: Entity) -> Failure {
    Failure::Answer(StoreError::Conflict(entity))
}

/// For `map_err` of an insertion: which entity is there already, by the name of the constraint.
pub(crate) fn taken(entity_of: impl FnOnce(&str) -> Option<Entity>) -> impl FnOnce(Error) -> Failure {
    move |error| {
        if let Error::DatabaseError(DatabaseErrorKind::UniqueViolation, information) = &error
            && let Some(entity) = information.constraint_name().and_then(entity_of)
        {
            return conflict(entity);
        }
        error.into()
    }
}
