//! # The PostgreSQL store
//!
//! The store of a deployment: diesel's query language over diesel-async's pure-Rust driver. No libpq is needed.
//!
//! Lives here: the pool ([`PostgresStore`]), connections with and without prepared statements (`connection`), the statements, what a transaction holds and in which order (`locks`), rows and
//! how they become domain values (`rows`), and what the driver's errors mean (`errors`). No transaction and no type of diesel
//! leaves this crate. A mutation runs as a task of its own, so it ends whatever becomes of the request that began it.
//!
//! May not live here: rules of the domain. Next rooms: `migrations/postgres`, the schema; `latchkey-storage-conformance`,
//! which says what a store is.

mod access;
mod announcements;
mod connection;
mod environments;
mod errors;
mod event_lists;
mod events;
mod health;
mod locks;
mod login_failures;
mod master_keys;
mod memberships;
mod migrations;
mod open_error;
mod page;
mod people;
mod people_changes;
mod people_queries;
mod personal_tokens;
mod places;
#[cfg(test)]
mod plans;
mod project_lists;
mod projects;
mod readers;
mod rekeying;
mod removals;
mod roles;
mod rows;
mod schema;
mod sessions;
mod store;
mod token_changes;
mod token_creation;
mod token_lists;
mod token_queries;
mod tokens;
mod unprepared;

pub use open_error::OpenError;
pub use store::{PostgresSettings, PostgresStore};
