//! Whether tokens are valid, and what for: `/edge/validate` for Unleash Edge and its like, `/auth/verify` for gateways,
//! `/oauth2/introspect` (RFC 7662) for everything else.

mod body;
mod requirement;
mod routes;

pub(crate) use self::routes::{configure, validate, verify_request};
