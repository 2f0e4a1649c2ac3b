//! Secrets that have leaked: how other scanners recognize them.

mod pattern;

use crate::api::Api;

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    pattern::configure(api);
}
