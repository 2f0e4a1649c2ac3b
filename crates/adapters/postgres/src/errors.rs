//! Why the store could not be opened or migrated, in words for the operator. No message shows the URL, which may hold a
//! password.

use std::{error::Error, iter::successors};

/// A hint for the operator when the server loses prepared statements.
pub(crate) const LOSES_STATEMENTS: &str = "the database loses prepared statements: if a pooler in transaction mode \
    stands before it, set database.transaction_pooler = true";

/// Whether a prepared statement was lost.
fn is_lost_statement(error: &(dyn Error + 'static)) -> bool {
    let mut chain = successors(Some(error), |error| (*error).source());
    chain.any(|error| error.to_string().contains(LOSES_STATEMENTS))
}

/// The driver's error: no type of diesel's leaves this crate.
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
