//! What a driver's error means to a caller, decided here and nowhere else.

use diesel::result::{DatabaseErrorKind, Error};
use latchkey_ports::{Entity, Inconsistency, StoreError};

/// How work in a transaction fails: with an answer for the caller, or with an error of the driver that means no more
/// than that the store is unavailable. Either undoes the transaction.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DbError {
    /// An answer for the caller.
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
    fn from(failure: DbError) -> Self {
        match failure {
            DbError::Answer(answer) => answer,
            // Connections, time-outs, shutdowns, a full disk. References to what is not there, and what is there
            // already, were found before.
            DbError::Driver(error) => unavailable(error),
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
pub(crate) fn not_found(entity: Entity) -> DbError {
    DbError::Answer(StoreError::NotFound(entity))
}

/// That was changed by somebody else meanwhile.
pub(crate) fn stale(entity: Entity) -> DbError {
    DbError::Answer(StoreError::Stale(entity))
}

/// That is there already.
pub(crate) fn conflict(entity: Entity) -> DbError {
    DbError::Answer(StoreError::Conflict(entity))
}

/// For `map_err` of an insertion: which entity is there already, by the name of the constraint.
pub(crate) fn conflict_of(entity_of: impl FnOnce(&str) -> Option<Entity>) -> impl FnOnce(Error) -> DbError {
    move |error| {
        if let Error::DatabaseError(DatabaseErrorKind::UniqueViolation, information) = &error
            && let Some(entity) = information.constraint_name().and_then(entity_of)
        {
            return conflict(entity);
        }
        error.into()
    }
}

/// What a driver said: no type of diesel's leaves this crate.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the store could not be opened or brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is none that the driver understands.
    #[error("the database URL cannot be read: write postgres://user:password@host:5432/database")]
    Url(#[source] Cause),
    /// The URL asks for an encrypted connection.
    #[error(
        "the database URL asks for TLS (sslmode={0}), which is not built in: use a private network or a local proxy that \
         speaks TLS, and leave sslmode out"
    )]
    Tls(&'static str),
    /// The pool could not be made.
    #[error("the pool of database connections cannot be made")]
    Pool(#[source] Cause),
    /// The server does not answer, or does not let us in.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Cause),
    /// A pooler gives each transaction another session.
    #[error("{}", LOSES_STATEMENTS)]
    TransactionPooler(#[source] Cause),
    /// A newer Latchkey has brought the database up to its own date.
    #[error(
        "the database was written by a newer Latchkey: it has the migration {version}, which this program does not know"
    )]
    NewerSchema {
        /// The migration.
        version: String,
    },
    /// A migration failed; the database is as it was before.
    #[error("the database cannot be brought up to date")]
    Migration(#[source] Cause),
}

impl OpenError {
    /// What it means that no connection could be made.
    pub(crate) fn of_connecting(error: diesel::ConnectionError) -> Self {
        if is_lost_statement(&error) {
            return Self::TransactionPooler(Box::new(error));
        }
        Self::Unreachable(Box::new(error))
    }

    /// What it means that a migration failed.
    pub(crate) fn of_migrating(error: Cause) -> Self {
        if is_lost_statement(&*error) { Self::TransactionPooler(error) } else { Self::Migration(error) }
    }
}
