//! Extractors: the caller and their permit, path parameters, queries and bodies.
//!
//! Only [`Authorized`] fails while actix extracts the arguments of a handler. Everything else is read by the handler when it
//! asks, because actix polls all extractors of a handler together and the first error wins: a body that is checked at
//! extraction could answer 400 where 401 or 403 must come first.

pub(crate) mod body;
mod bytes;
pub(crate) mod caller;
pub(crate) mod client;
pub(crate) mod idempotency;
mod member_rules;
pub(crate) mod path;
pub(crate) mod problems;
pub(crate) mod query;
mod reference;
mod spelling;
pub(crate) mod text;
pub(crate) mod unknown_members;

pub(crate) use self::{body::Body, caller::Authorized, idempotency::IdempotencyKey, problems::List};
pub use self::{
    client::Client, idempotency::answer_key, path::PathParameters, problems::Problems, query::Query,
};
