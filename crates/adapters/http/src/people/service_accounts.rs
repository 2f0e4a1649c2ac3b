//! `/api/admin/service-account`: users that are programs, and their tokens.

use std::sync::Arc;

use latchkey_domain::{PersonalTokenId, UserId};
use latchkey_service::{InstancePermit, ManageServiceAccounts};

use crate::{
    api::{Api, operation},
    call::Call,
    error::ApiError,
    error_body::ErrorBody,
    error_responses::{BodyErrors, CallerErrors},
    people::personal_token_body::{
        self, CreatePersonalTokenBody, IssuedPersonalTokenBody, PersonalTokensBody,
    },
    people::service_account_body::{
        CreateServiceAccountBody, ServiceAccountBody, ServiceAccountsBody, UpdateServiceAccountBody, change,
        draft,
    },
    response::{ApiResult, Tagged, created, created_at, empty, ok, tagged},
};

const COLLECTION: &str = "/api/admin/service-account";
const ONE: &str = "/api/admin/service-account/{id}";
const TOKENS: &str = "/api/admin/service-account/{id}/token";
const TOKEN: &str = "/api/admin/service-account/{id}/token/{tokenId}";
/// About what one account takes in JSON, in bytes.
const ACCOUNT_BYTES: usize = 512;

pub(crate) fn configure(api: &mut Api) {
    api.private([operation!(get_service_accounts), operation!(create_service_account)]);
    api.private([operation!(update_service_account), operation!(delete_service_account)]);
    api.private([operation!(get_service_account_tokens), operation!(create_service_account_token)]);
    api.private([operation!(delete_service_account_token)]);
}

async fn permit(call: &Call) -> Result<InstancePermit<ManageServiceAccounts>, ApiError> {
    Ok(InstancePermit::request(&call.caller().await?)?)
}

fn account(call: &Call) -> Result<UserId, ApiError> {
    call.id_parameter("id").map(UserId)
}

/// List service accounts.
///
/// With their tokens, and the roles that they can hold for the whole instance.
#[utoipa::path(
    get, path = COLLECTION, operation_id = "getServiceAccounts", tag = "Service accounts",
    params(
        ("limit" = Option<u32>, Query, description = "The most accounts to send."),
        ("offset" = Option<u64>, Query, description = "How many accounts to pass over."),
    ),
    responses(
        (status = 200, description = "The service accounts, by id.", body = ServiceAccountsBody<'_>),
        (status = 304, description = "The client has them already, as its If-None-Match says."),
        (status = 400, description = "The query cannot be read; every problem is listed.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
    )
)]
pub(crate) async fn get_service_accounts(call: Call) -> ApiResult<Tagged> {
    let permit = permit(&call).await?;
    let mut query = call.query()?;
    let page = query.page();
    let page = query.finish(page)?;
    let (directory, tokens) = call.context.use_cases.service_accounts.list(&permit, page).await?;
    let body = ServiceAccountsBody::of(&directory, &tokens);
    tagged(&body, ACCOUNT_BYTES * (1 + directory.users.len()))
}

/// Make a service account.
///
/// It cannot sign in, and acts by the tokens that are created for it.
#[utoipa::path(
    post, path = COLLECTION, operation_id = "createServiceAccount", tag = "Service accounts",
    request_body = CreateServiceAccountBody,
    responses(
        (status = 201, description = "The service account.", body = ServiceAccountBody<'_>, headers(("Location" = String, description = "Its id."))),
        (status = 400, description = "The body is at fault (every problem is listed), the user name is in use, or there is no such role.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission ADMIN is missing, or one that the role has; or another site had a browser ask.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn create_service_account(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let draft = draft(call.json().await?)?;
    let account = context.use_cases.service_accounts.create(&permit, draft).await?;
    created_at(&account.id.to_string(), &ServiceAccountBody::of(&account, &[]))
}

/// Change a service account.
///
/// Its user name stays.
#[utoipa::path(
    put, path = ONE, operation_id = "updateServiceAccount", tag = "Service accounts",
    params(("id" = i64, Path, description = "The account's id.")),
    request_body = UpdateServiceAccountBody,
    responses(
        (status = 200, description = "The service account.", body = ServiceAccountBody<'_>),
        (status = 400, description = "The body is at fault (every problem is listed), there is no such role, or the id is no integer.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission ADMIN is missing, or one that the role has; or another site had a browser ask.", body = ErrorBody),
        (status = 404, description = "There is no such service account.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn update_service_account(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let id = account(&call)?;
    let (name, root_role) = change(call.json().await?)?;
    let accounts = &context.use_cases.service_accounts;
    let account = accounts.update(&permit, id, name, root_role).await?;
    let tokens = accounts.tokens(&permit, id).await?;
    ok(&ServiceAccountBody::of(&account, &tokens))
}

/// Remove a service account.
///
/// With its tokens, which are refused from the answer on, and its roles.
#[utoipa::path(
    delete, path = ONE, operation_id = "deleteServiceAccount", tag = "Service accounts",
    params(("id" = i64, Path, description = "The account's id.")),
    responses(
        (status = 200, description = "The service account is gone."),
        (status = 400, description = "The id is no integer.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission ADMIN is missing, or another site had a browser ask.", body = ErrorBody),
        (status = 404, description = "There is no such service account.", body = ErrorBody),
    )
)]
pub(crate) async fn delete_service_account(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    call.context.use_cases.service_accounts.delete(&permit, account(&call)?).await?;
    Ok(empty())
}

/// List the tokens of a service account.
///
/// Expired ones too, by id, and without their secrets.
#[utoipa::path(
    get, path = TOKENS, operation_id = "getServiceAccountTokens", tag = "Service accounts",
    params(("id" = i64, Path, description = "The account's id.")),
    responses(
        (status = 200, description = "The tokens.", body = PersonalTokensBody<'_>),
        (status = 304, description = "The client has them already, as its If-None-Match says."),
        (status = 400, description = "The id is no integer.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
        (status = 404, description = "There is no such service account.", body = ErrorBody),
    )
)]
pub(crate) async fn get_service_account_tokens(call: Call) -> ApiResult<Tagged> {
    let permit = permit(&call).await?;
    let tokens = call.context.use_cases.service_accounts.tokens(&permit, account(&call)?).await?;
    tagged(&PersonalTokensBody::of(&tokens), ACCOUNT_BYTES * (1 + tokens.len()))
}

/// Create a token for a service account.
///
/// It acts with the account's permissions of the moment. The answer shows the secret, this once.
#[utoipa::path(
    post, path = TOKENS, operation_id = "createServiceAccountToken", tag = "Service accounts",
    params(("id" = i64, Path, description = "The account's id.")),
    request_body = CreatePersonalTokenBody,
    responses(
        (status = 201, description = "The token with its secret.", body = IssuedPersonalTokenBody<'_>),
        (status = 400, description = "The body is at fault (every problem is listed), or the id is no integer.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission ADMIN is missing; or the account has as many tokens as one may; or another site had a browser ask.", body = ErrorBody),
        (status = 404, description = "There is no such service account.", body = ErrorBody),
        (status = 409, description = "The account has a token of this description already.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn create_service_account_token(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let id = account(&call)?;
    let draft = personal_token_body::draft(call.json().await?)?;
    let issued = context.use_cases.service_accounts.create_token(&permit, id, draft).await?;
    created(&IssuedPersonalTokenBody::of(&issued))
}

/// Revoke a token of a service account.
///
/// It is refused from the answer on.
#[utoipa::path(
    delete, path = TOKEN, operation_id = "deleteServiceAccountToken", tag = "Service accounts",
    params(
        ("id" = i64, Path, description = "The account's id."),
        ("tokenId" = i64, Path, description = "The token's id."),
    ),
    responses(
        (status = 200, description = "The token is revoked."),
        (status = 400, description = "An id is no integer.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission ADMIN is missing, or another site had a browser ask.", body = ErrorBody),
        (status = 404, description = "There is no such service account, or it has no such token.", body = ErrorBody),
    )
)]
pub(crate) async fn delete_service_account_token(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let (id, token) = (account(&call)?, PersonalTokenId(call.id_parameter("tokenId")?));
    call.context.use_cases.service_accounts.delete_token(&permit, id, token).await?;
    Ok(empty())
}
