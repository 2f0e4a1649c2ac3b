//! Logging in and out, and what users do with their own account.

mod body;
mod login_routes;
mod me_routes;

use crate::api::Api;

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    login_routes::configure(api);
    me_routes::configure(api);
}
