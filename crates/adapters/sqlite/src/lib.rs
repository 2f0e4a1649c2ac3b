//! # The embedded store of Latchkey
//!
//! [`SqliteStore`] implements every port of `latchkey_ports` over one SQLite file (or one in memory), with plain
//! diesel on tokio's blocking threads. A closure handed to such a thread runs to its end even when the caller's
//! future is dropped, so no call leaves a transaction open, and no worker of the runtime waits for a disk.
//!
//! Lives here: connections and their settings (`connections`, `lane`), the tables as diesel sees them (`schema`), rows
//! and how they become domain values (`rows`), one module for each port, and the statements of lists (`*_lists`,
//! `token_queries`). The tables themselves are in `migrations/sqlite`. May not live here: a decision about who may do what, and no diesel type leaves.
//!
//! Next rooms: `latchkey-storage-conformance`, which every store must pass; `latchkey-postgres`, the same ports for a
//! deployment of several processes.

mod access;
mod connections;
mod environments;
mod errors;
mod event_lists;
mod events;
mod health;
mod lane;
mod login_failures;
mod master_keys;
mod memberships;
mod migrations;
mod open_error;
mod paging;
mod people;
mod people_lists;
mod personal_tokens;
mod place_lists;
mod places;
#[cfg(test)]
mod plans;
mod projects;
mod roles;
mod rows;
mod schema;
mod sessions;
mod settings;
mod store;
mod text_functions;
mod token_keeping;
mod token_links;
mod token_lists;
mod token_queries;
mod tokens;

pub use open_error::OpenError;
pub use settings::{Location, SqliteSettings};
pub use store::SqliteStore;
