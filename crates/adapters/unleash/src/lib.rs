//! # The database of an Unleash server
//!
//! [`UnleashDatabase`] reads the PostgreSQL database of Unleash 5 to 8 in one read-only snapshot, while its servers run, and
//! returns it as values of the domain ([`latchkey_ports::Incoming`], [`latchkey_ports::IncomingToken`]). Which version it is
//! does not matter: each statement is made from the columns that are there (`layout`).
//!
//! Here: the statements and plain records of the rows (`records`), and the decisions about everything that Latchkey cannot
//! hold, or holds only at the price of a wider scope (`places`, `roles`, `holdings`, `people`, `groups`, `tokens`, `events`). Each
//! decision is a [`latchkey_ports::Finding`]. No decision widens what a token or a user may do, and nothing in an event that may be
//! a secret leaves this crate (`masking`). Not here: what the store holds already, and
//! writing (`latchkey_service::Importer`). The way back, for API tokens alone, is [`UnleashExport`].

mod database;
mod error;
mod event_records;
mod events;
mod export;
mod groups;
mod holdings;
mod layout;
mod masking;
mod people;
mod places;
mod records;
mod roles;
mod text;
mod token_records;
mod tokens;

pub use database::{EventPortion, Snapshot, UnleashDatabase};
pub use error::UnleashError;
pub use export::{OutgoingToken, UnleashExport};
pub use holdings::EditorChoice;
pub use tokens::{OrphanChoice, Presented};
