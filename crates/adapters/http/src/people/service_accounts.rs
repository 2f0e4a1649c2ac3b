//! `/api/admin/service-account`: users that are programs, and their tokens.

use actix_web::web::Data;
use deserr::Deserr;
use latchkey_domain::{PersonName, PersonalToken, PersonalTokenId, User, UserId, Username};
use latchkey_service::{
    Directory, InstancePermit, ManageServiceAccounts, RoleReference, ServiceAccountDraft,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    personal_tokens::{
        CreatePersonalTokenBody, IssuedPersonalTokenBody, PersonalTokenBody, PersonalTokensBody,
    },
    query::PageQuery,
    role_body::{RoleBody, RootRoleReference},
    user_body::UserBody,
};
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Authorized, Body, PathParameters, Problems, Query},
    response::{ApiResult, Tagged, created, created_at, empty, ok, tagged},
};

const COLLECTION: &str = "/api/admin/service-account";
const ONE: &str = "/api/admin/service-account/{id}";
const TOKENS: &str = "/api/admin/service-account/{id}/token";
/// About how large one account is in JSON, in bytes.
const ACCOUNT_BYTES: usize = 512;

pub(super) fn configure(api: &mut Api) {
    api.tag("Service accounts").private(operations![
        get_service_accounts,
        create_service_account,
        update_service_account,
        delete_service_account,
        get_service_account_tokens,
        create_service_account_token,
        delete_service_account_token
    ]);
}

/// List service accounts.
///
/// With their tokens, and the roles that they can have for the whole instance.
#[utoipa::path(get, path = COLLECTION, responses(
    (status = 200, description = "The service accounts, by id.", body = ServiceAccountsBody<'_>),
))]
async fn get_service_accounts(
    Authorized(permit): Authorized<InstancePermit<ManageServiceAccounts>>,
    query: Query<PageQuery>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let page = query.read()?.into();
    let (directory, tokens) = context.use_cases.service_accounts.list(&permit, page).await?;
    let body = ServiceAccountsBody::of(&directory, &tokens);
    tagged(&body, ACCOUNT_BYTES * (1 + directory.users.len()))
}

/// Create a service account.
///
/// It cannot sign in; it authenticates with the tokens that are created for it.
#[utoipa::path(post, path = COLLECTION, responses(
    (status = 201, description = "The service account.", body = ServiceAccountBody<'_>,
        headers(("Location" = String, description = "Its id."))),
    (status = 400, description = "Or the user name is in use, or there is no such role."),
    (status = 403, description = "Or a permission of the role is missing."),
))]
async fn create_service_account(
    Authorized(permit): Authorized<InstancePermit<ManageServiceAccounts>>,
    body: Body<CreateServiceAccountBody>,
    context: Data<Context>,
) -> ApiResult {
    let draft = body.read().await?.into();
    let account = context.use_cases.service_accounts.create(&permit, draft).await?;
    created_at(&account.id.to_string(), &ServiceAccountBody::of(&account, &[]))
}

/// Update a service account.
///
/// Its user name cannot be changed.
#[utoipa::path(put, path = ONE, responses(
    (status = 200, description = "The service account.", body = ServiceAccountBody<'_>),
    (status = 400, description = "Or there is no such role."),
    (status = 403, description = "Or a permission of the role is missing."),
    (status = 404, description = "There is no such service account."),
))]
async fn update_service_account(
    Authorized(permit): Authorized<InstancePermit<ManageServiceAccounts>>,
    path: PathParameters,
    body: Body<UpdateServiceAccountBody>,
    context: Data<Context>,
) -> ApiResult {
    let id = UserId(path.id("id")?);
    let (name, root_role) = body.read().await?.into_change();
    let accounts = &context.use_cases.service_accounts;
    let account = accounts.update(&permit, id, name, root_role).await?;
    let tokens = accounts.tokens(&permit, id).await?;
    ok(&ServiceAccountBody::of(&account, &tokens))
}

/// Delete a service account.
///
/// With its roles and its tokens, which are refused from the response on.
#[utoipa::path(delete, path = ONE, responses(
    (status = 200, description = "The service account is deleted."),
    (status = 404, description = "There is no such service account."),
))]
async fn delete_service_account(
    Authorized(permit): Authorized<InstancePermit<ManageServiceAccounts>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    context.use_cases.service_accounts.delete(&permit, UserId(path.id("id")?)).await?;
    Ok(empty())
}

/// List the tokens of a service account.
///
/// By id, expired ones too, and without their secrets.
#[utoipa::path(get, path = TOKENS, responses(
    (status = 200, description = "The tokens.", body = PersonalTokensBody<'_>),
    (status = 404, description = "There is no such service account."),
))]
async fn get_service_account_tokens(
    Authorized(permit): Authorized<InstancePermit<ManageServiceAccounts>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let tokens = context.use_cases.service_accounts.tokens(&permit, UserId(path.id("id")?)).await?;
    tagged(&PersonalTokensBody::of(&tokens), ACCOUNT_BYTES * (1 + tokens.len()))
}

/// Create a token for a service account.
///
/// It has the permissions that the account has whenever it is used. The response shows the secret, which is never shown
/// again.
#[utoipa::path(post, path = TOKENS, responses(
    (status = 201, description = "The token with its secret.", body = IssuedPersonalTokenBody<'_>),
    (status = 403, description = "Or the account has the maximum number of tokens."),
    (status = 404, description = "There is no such service account."),
    (status = 409, description = "The account has a token with this description already."),
))]
async fn create_service_account_token(
    Authorized(permit): Authorized<InstancePermit<ManageServiceAccounts>>,
    path: PathParameters,
    body: Body<CreatePersonalTokenBody>,
    context: Data<Context>,
) -> ApiResult {
    let id = UserId(path.id("id")?);
    let draft = body.read().await?.into();
    let issued = context.use_cases.service_accounts.create_token(&permit, id, draft).await?;
    created(&IssuedPersonalTokenBody::of(&issued))
}

/// Revoke a token of a service account.
///
/// It is refused from the response on.
#[utoipa::path(delete, path = "/api/admin/service-account/{id}/token/{tokenId}", responses(
    (status = 200, description = "The token is revoked."),
    (status = 404, description = "There is no such service account, or it has no such token."),
))]
async fn delete_service_account_token(
    Authorized(permit): Authorized<InstancePermit<ManageServiceAccounts>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    let (id, token) = (UserId(path.id("id")?), PersonalTokenId(path.id("tokenId")?));
    context.use_cases.service_accounts.delete_token(&permit, id, token).await?;
    Ok(empty())
}

/// Creates a service account.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = createServiceAccountSchema, rename_all = "camelCase")]
pub struct CreateServiceAccountBody {
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
pub struct UpdateServiceAccountBody {
    /// The display name.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "Deployment", min_length = 1, max_length = 255)]
    name: Option<PersonName>,
    /// The role for the whole instance, by id or name.
    #[deserr(default)]
    #[schema(value_type = Option<RootRoleReference>, example = 2)]
    root_role: Option<RoleReference>,
}

impl UpdateServiceAccountBody {
    /// Returns the new display name and the new role.
    #[must_use]
    pub fn into_change(self) -> (Option<PersonName>, Option<RoleReference>) {
        (self.name, self.root_role)
    }
}

/// A service account with its tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = serviceAccountSchema)]
struct ServiceAccountBody<'a> {
    #[serde(flatten)]
    account: UserBody<'a>,
    /// The tokens of the account, expired ones too, by id.
    tokens: Vec<PersonalTokenBody<'a>>,
}

impl<'a> ServiceAccountBody<'a> {
    /// Shows the account with its own tokens, of all that are given.
    fn of(account: &'a User, tokens: &'a [PersonalToken]) -> Self {
        let own = tokens.iter().filter(|token| token.user == account.id);
        Self { account: UserBody::of(account), tokens: own.map(PersonalTokenBody::of).collect() }
    }
}

/// A list of service accounts, and of the roles for the whole instance.
#[derive(Serialize, ToSchema)]
#[schema(as = serviceAccountsSchema)]
#[serde(rename_all = "camelCase")]
struct ServiceAccountsBody<'a> {
    /// The service accounts, by id.
    service_accounts: Vec<ServiceAccountBody<'a>>,
    /// The roles for the whole instance, by id.
    root_roles: Vec<RoleBody<'a>>,
}

impl<'a> ServiceAccountsBody<'a> {
    fn of(directory: &'a Directory, tokens: &'a [PersonalToken]) -> Self {
        let accounts = directory.users.iter().map(|account| ServiceAccountBody::of(account, tokens));
        Self {
            service_accounts: accounts.collect(),
            root_roles: directory.root_roles.iter().map(RoleBody::of).collect(),
        }
    }
}
