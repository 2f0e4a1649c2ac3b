#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a case is a test: to panic is how it fails"
)]

pub mod access;
pub mod access_races;
pub mod accounts;
mod at_once;
pub mod dropped_changes;
pub mod dropped_futures;
pub mod dropped_removals;
pub mod environment_removal;
pub mod environments;
pub mod event_queries;
pub mod events;
pub mod first_tokens;
mod fixture;
pub mod fresh;
mod given;
pub mod last_admin;
pub mod login_failures;
pub mod master_key_counts;
pub mod master_key_races;
pub mod master_keys;
pub mod memberships;
mod observed;
pub mod passwords;
pub mod personal_token_lists;
pub mod personal_tokens;
pub mod places;
pub mod project_changes;
pub mod project_environments;
pub mod project_lists;
pub mod project_removal;
pub mod quota_races;
pub mod races;
pub mod removal_races;
pub mod roles;
pub mod rotation;
pub mod rotation_races;
mod sample_events;
mod sample_people;
pub mod samples;
pub mod seen;
pub mod sessions;
pub mod sweep;
pub mod token_changes;
pub mod token_lists;
pub mod token_orders;
pub mod token_refusals;
pub mod tokens;
pub mod user_changes;
pub mod users;

pub use fixture::Fixture;

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
