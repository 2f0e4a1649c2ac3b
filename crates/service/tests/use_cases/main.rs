//! The use cases, tried without a database: over the memory store, and over doubles where it matters who is asked
//! how often.
#![expect(clippy::expect_used, reason = "a test that fails here is a test that fails")]

mod accounts;
mod audit_trail;
mod authentication;
mod first_tokens;
mod flood;
mod instance_tokens;
mod keys_by_use;
mod login_races;
mod master_keys;
mod members;
mod one_token;
mod places;
mod project_tokens;
mod roles;
mod rotation;
mod sessions;
mod staleness;
mod support;
mod usage;
mod verification;
