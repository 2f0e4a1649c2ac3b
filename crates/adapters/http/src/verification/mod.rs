//! Whether tokens are valid, and what for: `/edge/validate` for Unleash Edge and its like, `/auth/verify` for gateways,
//! `/api/verify` and `/oauth2/introspect` (RFC 7662) for everything else. And that they were used elsewhere.

mod body;
mod issue;
mod questions;
mod requirement;
mod routes;
mod signature;
mod usage;

pub(crate) use self::{
    issue::configure as configure_issuing,
    routes::{configure, validate, verify_request},
};
