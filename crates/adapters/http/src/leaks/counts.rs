//! The count of secrets that were reported as leaked.

use latchkey_metrics::names::LEAKED_TOKENS_REPORTED;
use latchkey_service::LeakedToken;

/// Counts what the reported secrets belong to.
pub(super) fn count(leaked: &[Option<LeakedToken>]) {
    let live = leaked.iter().flatten().count();
    LEAKED_TOKENS_REPORTED.add(["true"], live as u64);
    LEAKED_TOKENS_REPORTED.add(["false"], (leaked.len() - live) as u64);
}
