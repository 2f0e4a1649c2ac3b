//! What a driver's error means to a caller, decided here and nowhere else.

use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error};
use latchkey_ports::{Entity, Inconsistency, StoreError};

use crate::OpenError;

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
    /// A connection was needed and could not be made.
    #[error(transparent)]
    Open(#[from] OpenError),
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
            // Busy, locked, I/O, full, read-only, damaged. References to what is not there are found before the
            // write, in the same transaction, because SQLite does not say which reference it was.
            Failure::Driver(error) => unavailable(error),
            Failure::Open(error) => unavailable(error),
        }
    }
}

/// Nobody ended a call in time for this one to begin.
#[derive(Debug, thiserror::Error)]
#[error("no connection was free within {0:?}")]
pub(crate) struct NoTurn(pub(crate) Duration);

/// The store could not answer.
pub(crate) fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

/// That does not exist.
pub(crate) fn not_found(entity: Entity) -> Failure {
    Failure::Answer(StoreError::NotFound(entity))
}

/// That exists already.
pub(crate) fn conflict(entity: Entity) -> Failure {
    Failure::Answer(StoreError::Conflict(entity))
}

/// That was changed by somebody else meanwhile.
pub(crate) fn stale(entity: Entity) -> Failure {
    Failure::Answer(StoreError::Stale(entity))
}

/// For `map_err` of an insertion or a change: which entity is there already, by the columns (`table.column, table.column`) that
/// SQLite names.
pub(crate) fn taken(entity_of: impl FnOnce(&str) -> Option<Entity>) -> impl FnOnce(Error) -> Failure {
    move |error| {
        if let Error::DatabaseError(DatabaseErrorKind::UniqueViolation, information) = &error
            && let Some(columns) = information.message().strip_prefix("UNIQUE constraint failed: ")
            && let Some(entity) = entity_of(columns)
        {
            return conflict(entity);
        }
        error.into()
    }
}
