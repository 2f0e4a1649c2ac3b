//! # The wire of Latchkey
//!
//! Routes, bodies, errors, the OpenAPI document: what a request looks like and what an answer looks like, over actix-web.
//!
//! A handler is thin and always reads the same: `Call::caller` says who calls, a permit is requested, the body is
//! read, a use case of `latchkey-service` acts, the result is presented. That is the contract's order of checks, spelled
//! out in each handler; nothing is extracted behind its back. Whatever fails becomes a `Failure`, and
//! one module gives each failure its status and words.
//!
//! May not live here: an `if` about tokens, projects or permissions. Next rooms: `routes`, the table of routes, and
//! `latchkey-service`, which does the work.

mod answers;
mod call;
mod context;
mod credentials;
mod durations;
mod failure;
mod fields;
mod moments;
mod openapi;
mod query;
mod routes;
mod surround;
mod token_body;
mod user_body;

pub use context::{Context, HttpSettings};
pub use openapi::openapi;
pub use routes::app;
