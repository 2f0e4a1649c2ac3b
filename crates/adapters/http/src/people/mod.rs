//! Users, service accounts, roles and personal access tokens.

mod personal_token_body;
mod personal_token_routes;
mod query;
pub(crate) mod role_body;
mod role_routes;
mod service_account_body;
mod service_account_routes;
pub(crate) mod user_body;
mod user_routes;

use crate::api::Api;

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    personal_token_routes::configure(api);
    role_routes::configure(api);
    service_account_routes::configure(api);
    user_routes::configure(api);
}
