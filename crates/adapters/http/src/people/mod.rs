//! Users, service accounts, roles and personal access tokens.

mod account_body;
mod personal_token_body;
mod personal_tokens;
pub(crate) mod role_body;
mod roles;
mod service_account_body;
mod service_accounts;
pub(crate) mod user_body;
mod users;

use crate::api::Api;

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    personal_tokens::configure(api);
    roles::configure(api);
    service_accounts::configure(api);
    users::configure(api);
}
