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

mod access_body;
mod account_body;
mod answers;
mod call;
mod context;
mod credentials;
mod durations;
mod environment_body;
mod error_answers;
mod error_body;
mod event_body;
mod event_query;
mod event_words;
mod failure;
mod fields;
mod instance_token_body;
mod moments;
mod myself_body;
mod openapi;
mod patience;
mod personal_token_body;
mod project_body;
mod query;
mod requirements;
mod role_body;
mod rotation_body;
mod routes;
mod service_account_body;
mod session_body;
mod surround;
mod token_body;
mod token_query;
mod user_body;
mod verified_body;

pub use context::{Context, HttpSettings};
pub use openapi::openapi;
pub use routes::app;
