//! Errors of opening and migrating the store, with messages for operators. No message shows the URL, which may contain a
//! password.

use std::{error::Error, iter::successors};

use crate::tls::TlsError;

/// A hint for the operator when the server loses prepared statements.
pub(crate) const LOSES_STATEMENTS: &str = "the database loses prepared statements: if a pooler in transaction mode \
    stands before it, set database.transaction_pooler = true";

/// Returns whether a prepared statement was lost.
fn is_lost_statement(error: &(dyn Error + 'static)) -> bool {
    let mut chain = successors(Some(error), |error| (*error).source());
    chain.any(|error| error.to_string().contains(LOSES_STATEMENTS))
}

/// An error of the driver. No type of diesel leaves this crate.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the store could not be opened or migrated.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the names of the variants and the messages say it")]
pub enum OpenError {
    #[error("the database URL cannot be read: write postgres://user:password@host:5432/database")]
    Url(#[source] Cause),
    #[error("the password in the database URL has an @: percent-encode the password (@ is %40)")]
    UnencodedLogin,
    #[error("the environment variable {0} has a bad value")]
    Variable(&'static str),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the pool of database connections cannot be made")]
    Pool(#[source] Cause),
    #[error("the database cannot be reached")]
    Unreachable(#[source] Cause),
    #[error(
        "the database asks for a password, and none is given: put it into the database URL, percent-encoded, or into PGPASSWORD"
    )]
    NoPassword(#[source] Cause),
    #[error("{}", LOSES_STATEMENTS)]
    TransactionPooler(#[source] Cause),
    #[error(
        "the database was written by a newer Latchkey: it has the migration {version}, which this program does not know"
    )]
    NewerSchema { version: String },
    #[error("the database cannot be brought up to date")]
    Migration(#[source] Cause),
}

impl OpenError {
    /// Sorts an error of opening a connection by what an operator can do.
    pub(crate) fn of_connecting(error: diesel::ConnectionError) -> Self {
        if is_lost_statement(&error) {
            return Self::TransactionPooler(Box::new(error));
        }
        // The driver tells it from other errors by its text alone.
        if error.to_string().contains("password missing") {
            return Self::NoPassword(Box::new(error));
        }
        Self::Unreachable(Box::new(error))
    }

    /// Sorts an error of a migration by what an operator can do.
    pub(crate) fn of_migrating(error: Cause) -> Self {
        if is_lost_statement(&*error) { Self::TransactionPooler(error) } else { Self::Migration(error) }
    }
}
