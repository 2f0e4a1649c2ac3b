//! # What the SQL stores share
//!
//! The tables, rows and most statements of `latchkey-sqlite` and `latchkey-postgres` are the same, so they are written
//! once, for both of diesel's backends.
//!
//! Here: column types that each backend stores its own way ([`columns`]), the tables ([`schema`]), rows and their conversion
//! to and from the domain ([`rows`]), statements ([`queries`], [`token_counts`], [`statistics`], [`usage`], [`webhooks`], [`mail`], [`replicas`]), those of backups ([`archive`]), the meaning
//! of a driver's error ([`errors`]), and the
//! embedded migrations ([`migrations`]). Not here: connections, transactions, locks, and statements that only one backend
//! has. Next: `migrations/`, which defines the tables.

pub mod archive;
pub mod columns;
pub mod errors;
pub mod event_consumers;
mod expressions;
pub mod mail;
pub mod migrations;
pub mod queries;
pub mod replicas;
pub mod rows;
pub mod schema;
pub mod statistics;
pub mod token_counts;
pub mod usage;
pub mod webhooks;

pub use errors::DbError;
pub use expressions::{Counted, ListOf};
