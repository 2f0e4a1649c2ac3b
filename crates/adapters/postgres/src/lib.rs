//! # The PostgreSQL store
//!
//! [`PostgresStore`] implements every port of `latchkey_ports` with diesel's query language over `tokio-postgres`, so no
//! libpq is needed. A mutation runs as a task of its own: it ends even when the request that began it is dropped.
//!
//! Here: the pool (`store`), connections with and without prepared statements (`connection`), the order of locks in
//! transactions (`locks`), the tables (`schema`), one module for each port, backups (`archive`), and the statements of
//! lists (`event_lists`, `token_lists`, `token_queries`), and reading from a standby (`replica`). The tables themselves are in `migrations/postgres`; what this store shares with
//! SQLite is in `latchkey-sql`. Not here: rules of the domain. No transaction and no diesel type leaves the crate.
//!
//! Next: `latchkey-storage-conformance`, the suite that every store must pass.

mod answers;
mod archive;
mod budgets;
mod connection;
mod creation_groups;
mod environments;
mod errors;
mod event_announcer;
mod event_consumers;
mod event_listener;
mod event_lists;
mod event_seals;
mod events;
mod groups;
mod idempotency;
mod import;
mod imported_events;
mod insertion;
mod large_import;
mod locks;
mod login_failures;
mod mail;
mod master_keys;
mod memberships;
mod migrations;
mod notices;
mod personal_tokens;
#[cfg(test)]
mod plans;
mod policies;
mod projects;
mod readers;
mod replica;
mod replicas;
mod roles;
mod sessions;
mod settled_events;
mod statistics;
mod store;
mod tls;
mod token_creation;
mod token_lists;
mod token_queries;
mod token_writes;
mod tokens;
mod transactions;
mod url_defaults;
mod usage;
mod users;
mod webhook_lanes;
mod webhooks;

pub use connection::Access;
pub use errors::OpenError;
pub use store::{PostgresSettings, PostgresStore, ServerInfo, connect_client};
pub use tokio_postgres::Client;

pub use tls::{TlsError, TlsMode, TlsSettings};
pub use url_defaults::UrlDefaults;
