//! Secrets that have leaked: reports of them, and how other scanners recognize them.

mod counts;
mod github;
mod pattern;
mod report;

use crate::api::Api;

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    pattern::configure(api);
    report::configure(api);
    github::configure(api);
}
