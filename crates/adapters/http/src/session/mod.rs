//! Logging in and out, and what users do with their own account.

pub(crate) mod login;
mod me;

pub use self::me::ChangeMyPasswordBody;
use crate::api::Api;

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    login::configure(api);
    me::configure(api);
}
