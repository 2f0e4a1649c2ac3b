//! The bodies of service accounts.

use deserr::Deserr;
use latchkey_domain::{PersonName, PersonalToken, User, Username};
use latchkey_service::{Directory, RoleReference, ServiceAccountDraft};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    personal_token_body::PersonalTokenBody,
    role_body::{RoleBody, RootRoleReference},
    user_body::UserBody,
};
use crate::extract::Problems;

/// Creates a service account.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = createServiceAccountSchema, rename_all = "camelCase")]
pub(super) struct CreateServiceAccountBody {
    /// The user name: 1 to 255 characters, trimmed; unique among all users.
    #[schema(value_type = String, example = "service-deploy", min_length = 1, max_length = 255)]
    username: Username,
    /// The display name.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "Deployment", min_length = 1, max_length = 255)]
    name: Option<PersonName>,
    /// The role for the whole instance, by id or name.
    #[schema(value_type = RootRoleReference, example = 2)]
    root_role: RoleReference,
}

impl From<CreateServiceAccountBody> for ServiceAccountDraft {
    fn from(CreateServiceAccountBody { username, name, root_role }: CreateServiceAccountBody) -> Self {
        Self { username, name, root_role }
    }
}

/// Updates a service account. Absent or null members stay as they are.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = updateServiceAccountSchema, rename_all = "camelCase")]
pub(super) struct UpdateServiceAccountBody {
    /// The display name.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "Deployment", min_length = 1, max_length = 255)]
    pub(super) name: Option<PersonName>,
    /// The role for the whole instance, by id or name.
    #[deserr(default)]
    #[schema(value_type = Option<RootRoleReference>, example = 2)]
    pub(super) root_role: Option<RoleReference>,
}

/// A service account with its tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = serviceAccountSchema)]
pub(super) struct ServiceAccountBody<'a> {
    #[serde(flatten)]
    account: UserBody<'a>,
    /// The tokens of the account, expired ones too, by id.
    tokens: Vec<PersonalTokenBody<'a>>,
}

impl<'a> ServiceAccountBody<'a> {
    /// Shows the account with its own tokens, of all that are given.
    pub(super) fn of(account: &'a User, tokens: &'a [PersonalToken]) -> Self {
        let own = tokens.iter().filter(|token| token.user == account.id);
        Self { account: UserBody::of(account), tokens: own.map(PersonalTokenBody::of).collect() }
    }
}

/// A list of service accounts, and of the roles for the whole instance.
#[derive(Serialize, ToSchema)]
#[schema(as = serviceAccountsSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceAccountsBody<'a> {
    /// The service accounts, by id.
    service_accounts: Vec<ServiceAccountBody<'a>>,
    /// The roles for the whole instance, by id.
    root_roles: Vec<RoleBody<'a>>,
}

impl<'a> ServiceAccountsBody<'a> {
    pub(super) fn of(directory: &'a Directory, tokens: &'a [PersonalToken]) -> Self {
        let accounts = directory.users.iter().map(|account| ServiceAccountBody::of(account, tokens));
        Self {
            service_accounts: accounts.collect(),
            root_roles: directory.root_roles.iter().map(RoleBody::of).collect(),
        }
    }
}
