//! # The embedded store
//!
//! [`SqliteStore`] implements every port of `latchkey_ports` over one SQLite file (or a database in memory), with
//! plain diesel on threads of its own. A closure on such a thread runs to its end even when the caller's future is
//! dropped, so no call leaves a transaction open, and no worker of the runtime waits for a disk.
//!
//! Here: connections and their settings (`connection`, `pool`), one module for each port, backups (`archive`),
//! and the statements of lists (`event_lists`, `token_lists`, `token_queries`). The tables themselves are in
//! `migrations/sqlite`; what this store shares with PostgreSQL is in `latchkey-sql`. Not here: authorization. No diesel
//! type leaves the crate.
//!
//! Next: `latchkey-storage-conformance`, the suite that every store must pass; `latchkey-postgres`, the store for
//! deployments of several processes.

mod archive;
mod budgets;
mod connection;
mod environments;
mod errors;
mod event_consumers;
mod event_lists;
mod event_seals;
mod events;
mod existence;
mod groups;
mod idempotency;
mod import;
mod location;
mod login_failures;
mod mail;
mod master_keys;
mod memberships;
mod migrations;
mod notices;
mod paging;
mod personal_tokens;
#[cfg(test)]
mod plans;
mod policies;
mod pool;
mod projects;
mod replicas;
mod roles;
mod sessions;
mod statistics;
mod store;
mod token_lists;
mod token_queries;
mod token_writes;
mod tokens;
mod usage;
mod users;
mod webhooks;

pub use errors::OpenError;
pub use location::Location;
pub use store::{SqliteSettings, SqliteStore};
