//! # The domain of Latchkey
//!
//! The model of tokens, projects, roles and permissions, and its rules. Every value with a rule is a type with one
//! fallible constructor, so code that holds such a value need not check it again.
//!
//! Lives here: [`ApiToken`] and its [`TokenAccess`], secrets and their format ([`TokenSecret`]), places and people
//! ([`Project`], [`Environment`], [`User`], [`Group`], [`Role`]), the pure authorization function ([`authorize`]), the effect on
//! tokens of removing a project or environment ([`ProjectRemoval`]), policies ([`Policy`]), and audit events ([`NewEvent`]). The JSON of an
//! event's [`Snapshot`] is the one piece of wire format here, because stores keep it too. May not live here: anything
//! async, a clock, randomness, a database, any other JSON body of the wire.
//!
//! Read on in `latchkey-ports`, the traits that carry these types in and out.

#[macro_use]
mod named_enum;

mod attributes;
mod audit;
mod authorization;
mod event_chain;
mod group;
mod hex;
mod iso_duration;
mod leak;
mod limits;
mod mail;
mod metadata;
mod names;
mod networks;
mod new_names;
mod notice;
mod password;
mod people;
mod permission;
mod personal_token;
mod place;
mod policy;
mod principal;
mod reason;
mod removal;
mod role;
mod scope;
mod secret;
mod secret_prefix;
mod secret_scan;
mod selector;
mod session;
mod snapshot;
mod term;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod throttle;
mod time;
mod token;
mod token_id;
mod token_scopes;
mod token_status;
mod usage;
mod webhook;
mod webhook_secret;

// What is public in these modules is the interface of the crate.
pub use self::{
    attributes::*, audit::*, authorization::*, event_chain::*, group::*, hex::*, iso_duration::*, leak::*,
    limits::*, mail::*, metadata::*, names::*, networks::*, notice::*, password::*, people::*, permission::*,
    personal_token::*, place::*, policy::*, principal::*, reason::*, removal::*, role::*, scope::*,
    secret::*, secret_prefix::*, secret_scan::*, selector::*, session::*, snapshot::*, term::*, throttle::*,
    time::*, token::*, token_id::*, token_scopes::*, token_status::*, usage::*, webhook::*,
    webhook_secret::*,
};
