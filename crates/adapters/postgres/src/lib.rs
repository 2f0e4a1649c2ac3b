//! # The PostgreSQL store
//!
//! The store of a deployment: diesel's query language over diesel-async's pure-Rust driver. No libpq is needed.
//!
//! Lives here: the pool ([`PostgresStore`]), the statements, rows and how they become domain values (`rows`), and what the
//! driver's errors mean (`errors`). No transaction and no type of diesel leaves this crate. A mutation runs as a task of
//! its own, so it ends whatever becomes of the request that began it.
//!
//! May not live here: rules of the domain. Next rooms: `migrations/postgres`, the schema; `latchkey-storage-conformance`,
//! which says what a store is.

mod access;
mod errors;
mod events;
mod health;
mod migrations;
mod open_error;
mod people;
mod personal_tokens;
mod places;
#[cfg(test)]
mod plans;
mod rows;
mod schema;
mod store;
mod token_queries;
mod tokens;

pub use open_error::OpenError;
pub use store::{PostgresSettings, PostgresStore};
