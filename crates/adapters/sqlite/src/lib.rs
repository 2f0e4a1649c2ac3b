//! # The embedded store of Latchkey
//!
//! [`SqliteStore`] implements every port of `latchkey_ports` over one SQLite file (or one in memory), with plain
//! diesel on tokio's blocking threads. A closure handed to such a thread runs to its end even when the caller's
//! future is dropped, so no call leaves a transaction open, and no worker of the runtime waits for a disk.
//!
//! Lives here: connections and their settings (`connections`, `lane`), the tables as diesel sees them (`schema`), rows
//! and how they become domain values (`rows`), one module for each port. The tables themselves are in
//! `migrations/sqlite`. May not live here: a decision about who may do what, and no diesel type leaves.
//!
//! Next rooms: `latchkey-storage-conformance`, which every store must pass; `latchkey-postgres`, the same ports for a
//! deployment of several processes.

mod access;
mod connections;
mod errors;
mod events;
mod health;
mod lane;
mod migrations;
mod open_error;
mod people;
mod personal_tokens;
mod places;
#[cfg(test)]
mod plans;
mod rows;
mod schema;
mod settings;
mod store;
mod token_queries;
mod tokens;

pub use open_error::OpenError;
pub use settings::{Location, SqliteSettings};
pub use store::SqliteStore;
