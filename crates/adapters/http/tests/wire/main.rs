//! The wire, request by request, in process over the memory store; the modules are laid out as the routes are.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails here is a test that fails"
)]

mod access_log;
mod expectations;

mod environments;
mod errors;
mod events;
mod groups;
mod idempotency;
mod instance_tokens;
mod leaks;
mod log;
mod login;
mod long_lists;
mod metrics;
mod myself;
mod openapi;
mod own_token;
mod personal_tokens;
mod policies;
mod project_access;
mod project_environments;
mod project_tokens;
mod projects;
mod protection;
mod replicas;
mod roles;
mod rotation;
mod routing;
mod selectors;
mod service_accounts;
mod statistics;
mod store_errors;
mod token_attributes;
mod token_batches;
mod token_changes;
mod token_limits;
mod token_lists;
mod unknown_members;
mod usage;
mod users;
mod verification;
mod warnings;
mod webhooks;
