//! # The use cases of Latchkey
//!
//! One module per capability, each a struct over the ports that it needs. The behavior of the API is here; its wire
//! format is in `latchkey-http`, its storage in the stores.
//!
//! The path of a request: [`Authenticator::authenticate`] finds the principal; [`Caller::admit`] checks that it may use
//! the administrative routes; [`Permit::request`] and [`InstancePermit::request`] check its permissions, and are the
//! only way to get the permit that a use case requires, so no route can forget the check; the use case
//! ([`ProjectTokens`], [`Users`], …) acts and records the event, through ports; a [`ServiceError`] says what was wrong,
//! in words for the caller: every use case can fail with [`ServiceError::Unavailable`] and [`ServiceError::Internal`],
//! and with [`ServiceError::NotFound`] if it names something that does not exist; its section on errors names the
//! others. The permissions of each action are listed in one table (`actions`).
//!
//! May not live here: SQL, HTTP, a clock, randomness, configuration files. Read on in `latchkey-http`, which calls
//! these use cases, and in `latchkey-ports`, which they call.

mod accounts;
mod actions;
mod attention;
mod audit_seals;
mod audit_trail;
mod authentication;
mod change_clock;
mod changes;
mod client_network;
mod consumed_events;
mod counting_cache;
mod edge_tokens;
mod environments;
mod error;
mod event_export;
mod event_news;
mod event_stream;
mod faults;
mod first_tokens;
mod first_uses;
mod groups;
mod hot_entries;
mod idempotency;
mod importing;
mod index;
mod instance_tokens;
mod invalidation;
mod issuing;
mod key_import;
mod leaks;
mod limit_patches;
mod limits;
mod login_turns;
mod lookup_budget;
mod mail;
mod master_keys;
mod members;
mod message;
mod metrics;
mod notices;
mod own_token;
mod patched;
mod permit;
mod personal_tokens;
mod policies;
mod policy_rules;
mod portions;
mod project_tokens;
mod projects;
mod refusal;
mod rekey_queue;
mod replicas;
mod retry;
mod revealed_token;
mod roles;
mod rotation_ends;
mod service_accounts;
mod sessions;
mod sharded_counter;
mod task_health;
mod token_changes;
mod token_end;
mod token_filter;
mod token_request;
mod unused_tokens;
mod usage;
mod usage_reports;
mod use_cases;
mod users;
mod verification;
mod webhook_deliveries;
mod webhook_secrets;
mod webhooks;
mod whoami;

// What is public in these modules is the interface of the crate.
pub use self::{
    accounts::*, actions::*, attention::*, audit_seals::*, audit_trail::*, authentication::*, edge_tokens::*,
    environments::*, error::*, event_export::*, event_news::*, event_stream::*, faults::*, first_tokens::*,
    groups::*, idempotency::*, importing::*, index::*, instance_tokens::*, issuing::*, key_import::*,
    leaks::*, limit_patches::*, limits::*, mail::*, master_keys::*, members::*, message::*, metrics::*,
    notices::*, own_token::*, patched::*, permit::*, personal_tokens::*, policies::*, project_tokens::*,
    projects::*, refusal::*, replicas::*, retry::*, revealed_token::*, roles::*, service_accounts::*,
    sessions::*, task_health::*, token_changes::*, token_end::*, token_filter::*, token_request::*,
    unused_tokens::*, usage::*, usage_reports::*, use_cases::*, users::*, verification::*,
    webhook_deliveries::*, webhooks::*, whoami::*,
};
