//! # The memory store
//!
//! The reference store: the simplest code that is right. Everything is in maps behind one lock; a mutation checks
//! first and changes afterwards, so nothing is ever half done. It is for tests and for a try (`memory:`); what it holds
//! is gone when the process ends.
//!
//! May not live here: rules of the domain, caches, tricks. Next rooms: `latchkey-storage-conformance`, the suite that
//! says what a store is, and the stores that keep things for longer.

mod access;
mod audit;
mod environments;
mod login_failures;
mod master_keys;
mod page;
mod personal_tokens;
mod projects;
mod sessions;
mod state;
mod store;
mod token_index;
mod token_lists;
mod tokens;
mod users;

pub use store::MemoryStore;
