//! Users, groups, service accounts, roles and personal access tokens.

pub(crate) mod group_body;
pub(crate) mod group_routes;
mod personal_tokens;
mod query;
pub(crate) mod role_body;
mod role_routes;
mod service_accounts;
mod user_access;
pub(crate) mod user_body;
mod user_routes;

use crate::api::Api;

pub use self::{
    group_body::GroupDraftBody,
    personal_tokens::CreatePersonalTokenBody,
    role_body::{CreateRoleBody, UpdateRoleBody},
    service_accounts::{CreateServiceAccountBody, UpdateServiceAccountBody},
    user_body::{CreateUserBody, PasswordBody, UpdateUserBody},
};

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    group_routes::configure(api);
    personal_tokens::configure(api);
    role_routes::configure(api);
    service_accounts::configure(api);
    user_routes::configure(api);
    user_access::configure(api);
}
