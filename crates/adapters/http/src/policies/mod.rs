//! Policies: what API tokens must be like, and which of them are not.

mod body;
mod routes;

pub use self::body::SetPolicyBody;
pub(crate) use self::routes::configure;
