//! Tests of the use cases without a database: over the memory store, and over mocks where the calls to a port are the point.
#![expect(clippy::expect_used, reason = "a test that fails here is a test that fails")]

mod accounts;
mod audit_seals;
mod audit_trail;
mod authentication;
mod first_tokens;
mod flood;
mod groups;
mod idempotency;
mod importing;
mod importing_events;
mod importing_groups;
mod instance_tokens;
mod key_import;
mod keys_by_use;
mod leaks;
mod limits;
mod login_races;
mod master_keys;
mod members;
mod one_token;
mod places;
mod policies;
mod project_tokens;
mod replicas;
mod roles;
mod rotation;
mod rotation_ends;
mod sessions;
mod staleness;
mod support;
mod token_portions;
mod unused_tokens;
mod usage;
mod verification;
mod webhooks;
