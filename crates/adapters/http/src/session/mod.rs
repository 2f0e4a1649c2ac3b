//! Logging in and out, and what a user does with their own account.

mod body;
mod cookie;
mod login;
mod me;
mod me_body;

use crate::api::Api;

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    login::configure(api);
    me::configure(api);
}
