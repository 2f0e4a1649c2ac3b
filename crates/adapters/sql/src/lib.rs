//! # What the SQL stores share
//!
//! The tables and rows of `latchkey-sqlite` and `latchkey-postgres` are the same but for a few columns, so they are
//! written once, for both of diesel's backends.
//!
//! Here: column types that each backend stores its own way ([`columns`]), the tables that both have ([`schema`]), rows
//! and their conversion to and from the domain ([`rows`]), and the meaning of a driver's error ([`errors`]). Not here:
//! connections, transactions and statements. Next: `migrations/`, which defines the tables.

pub mod columns;
pub mod errors;
mod paging;
pub mod rows;
pub mod schema;

pub use errors::DbError;
pub use paging::Counted;
