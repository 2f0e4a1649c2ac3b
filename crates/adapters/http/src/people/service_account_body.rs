//! The bodies of service accounts.

use latchkey_domain::{PersonName, PersonalToken, User, Username};
use latchkey_service::{Directory, RoleReference, ServiceAccountDraft};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    error::ApiError, extract::fields::Fields, people::personal_token_body::PersonalTokenBody,
    people::role_body::RoleBody, people::user_body::UserBody,
};

/// A body that makes a service account.
#[derive(ToSchema)]
#[schema(as = createServiceAccountSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `draft` reads it, problem by problem")]
pub(crate) struct CreateServiceAccountBody {
    /// What it is known by: 1 to 255 characters, trimmed; unique among all users.
    #[schema(example = "service-deploy", min_length = 1, max_length = 255)]
    username: String,
    /// What it is called.
    #[schema(example = "Deployment", min_length = 1, max_length = 255)]
    name: Option<String>,
    /// The role that it holds for the whole instance, by id or by name.
    #[schema(rename = "rootRole", value_type = i64, example = 2)]
    root_role: i64,
}

/// Reads the body.
///
/// # Errors
/// [`ApiError::BadInput`] with every problem of every member.
pub(crate) fn draft(body: Value) -> Result<ServiceAccountDraft, ApiError> {
    let mut fields = Fields::of(body)?;
    let username =
        fields.required("username", |text| Username::new(text).map_err(|error| format!("The {error}.")));
    let name = person_name(&mut fields);
    fields.need("rootRole");
    let root_role = fields.role("rootRole");
    let draft = username.zip(root_role).map(|(username, root_role)| ServiceAccountDraft {
        username,
        name,
        root_role,
    });
    fields.finish(draft)
}

/// A body that changes a service account; what is left out stays.
#[derive(ToSchema)]
#[schema(as = updateServiceAccountSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `change` reads it, problem by problem")]
pub(crate) struct UpdateServiceAccountBody {
    /// What it is called.
    #[schema(example = "Deployment", min_length = 1, max_length = 255)]
    name: Option<String>,
    /// The role that it holds for the whole instance, by id or by name.
    #[schema(rename = "rootRole", value_type = Option<i64>, example = 2)]
    root_role: Option<i64>,
}

/// Reads the body.
///
/// # Errors
/// [`ApiError::BadInput`] with every problem of every member.
pub(crate) fn change(body: Value) -> Result<(Option<PersonName>, Option<RoleReference>), ApiError> {
    let mut fields = Fields::of(body)?;
    let name = person_name(&mut fields);
    let root_role = fields.role("rootRole");
    fields.finish(Some((name, root_role)))
}

fn person_name(fields: &mut Fields) -> Option<PersonName> {
    fields.optional("name", |text| PersonName::new(text).map_err(|error| format!("The {error}.")))
}

/// A service account with its tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = serviceAccountSchema)]
pub(crate) struct ServiceAccountBody<'a> {
    #[serde(flatten)]
    account: UserBody<'a>,
    /// Its tokens, expired ones too, by id.
    tokens: Vec<PersonalTokenBody<'a>>,
}

impl<'a> ServiceAccountBody<'a> {
    /// The account, with those of the tokens that are its own.
    pub(crate) fn of(account: &'a User, tokens: &'a [PersonalToken]) -> Self {
        let own = tokens.iter().filter(|token| token.user == account.id);
        Self { account: UserBody::of(account), tokens: own.map(PersonalTokenBody::of).collect() }
    }
}

/// A list of service accounts, and of the roles that they can hold for the whole instance.
#[derive(Serialize, ToSchema)]
#[schema(as = serviceAccountsSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceAccountsBody<'a> {
    /// The service accounts, by id.
    service_accounts: Vec<ServiceAccountBody<'a>>,
    /// The roles, by id.
    root_roles: Vec<RoleBody<'a>>,
}

impl<'a> ServiceAccountsBody<'a> {
    pub(crate) fn of(directory: &'a Directory, tokens: &'a [PersonalToken]) -> Self {
        let accounts = directory.users.iter().map(|account| ServiceAccountBody::of(account, tokens));
        Self {
            service_accounts: accounts.collect(),
            root_roles: directory.root_roles.iter().map(RoleBody::of).collect(),
        }
    }
}
