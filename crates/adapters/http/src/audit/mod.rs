//! The audit trail.

mod body;
mod query;
mod routes;
mod stream;
mod words;

pub(crate) use self::routes::configure;
