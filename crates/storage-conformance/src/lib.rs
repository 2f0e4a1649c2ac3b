#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "the cases are tests: they fail by panicking"
)]

use std::{any::Any, fmt, sync::Arc};

use latchkey_ports::Store;

pub mod budgets;
pub mod cancellation;
pub mod cancelled_changes;
pub mod environments;
pub mod event_log;
pub mod event_queries;
pub mod events;
pub mod feed;
pub mod group_rights;
pub mod groups;
mod harness;
pub mod idempotency;
pub mod imported_events;
pub mod imported_groups;
pub mod imports;
pub mod initial_state;
pub mod large_imports;
pub mod last_admin;
pub mod leaks;
pub mod login_failures;
pub mod mail;
pub mod master_key_races;
pub mod master_keys;
pub mod member_sets;
pub mod memberships;
pub mod notices;
pub mod passwords;
pub mod personal_tokens;
pub mod policies;
pub mod project_lists;
pub mod projects;
pub mod races;
pub mod readable_tokens;
pub mod removal_races;
pub mod removals;
pub mod replicas;
pub mod roles;
pub mod rotation;
pub mod rotation_ends;
mod sample_events;
mod sample_users;
mod sample_webhooks;
pub mod samples;
pub mod seals;
pub mod selectors;
pub mod sessions;
pub mod settled;
mod setup;
pub mod statistics;
pub mod sweep;
pub mod token_batches;
pub mod token_counts;
pub mod token_filters;
pub mod token_paging;
pub mod token_races;
pub mod token_updates;
pub mod tokens;
pub mod usage;
pub mod user_changes;
pub mod users;
pub mod webhook_deliveries;
pub mod webhooks;

include!(concat!(env!("OUT_DIR"), "/suite.rs"));

/// Generates a module with one test per case; used by [`suite!`].
#[doc(hidden)]
#[macro_export]
macro_rules! tests_of {
    ($module:ident { $($case:ident),+ }) => {
        #[cfg(test)]
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $case() {
                    let fixture = super::latchkey_conformance_fixture().await;
                    $crate::$module::$case(&fixture.store).await;
                }
            )+
        }
    };
}

/// A fresh store, and a guard that must live as long as the store.
pub struct Fixture {
    /// The store, with the contents of [`latchkey_ports::initial_data`] and nothing else.
    pub store: Arc<dyn Store>,
    /// Dropped after the store: the directory or database in which it lives.
    pub guard: Option<Box<dyn Any + Send>>,
}

impl Fixture {
    /// Wraps a store that needs no cleanup.
    #[must_use]
    pub fn new(store: impl Store + 'static) -> Self {
        Self { store: Arc::new(store), guard: None }
    }

    /// Adds a guard that cleans up when it is dropped.
    #[must_use]
    pub fn guarded_by(self, guard: impl Any + Send) -> Self {
        Self { guard: Some(Box::new(guard)), ..self }
    }
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture").field("guarded", &self.guard.is_some()).finish_non_exhaustive()
    }
}
