//! `/api/admin/api-tokens`: tokens of any scope.

use actix_web::web::Data;
use latchkey_service::{
    CreateInstanceTokens, DeleteInstanceTokens, InstancePermit, Missing, ReadInstanceTokens, ServiceError,
    TokenReference, UpdateInstanceTokens,
};

use super::{
    body::{CreateTokenBody, RotateTokenBody, TokenBody, TokensBody, UpdateTokenBody},
    list::{TokenList, list_response},
    query::TokenQuery,
};
use crate::{
    api::{Api, operation},
    context::Context,
    error::ApiError,
    error_body::ErrorBody,
    error_responses::{BodyErrors, CallerErrors},
    extract::{Authorized, Body, PathParameters, Query},
    response::{ApiResult, created_at, empty, ok},
};

const COLLECTION: &str = "/api/admin/api-tokens";
const ONE: &str = "/api/admin/api-tokens/{token}";
const ROTATION: &str = "/api/admin/api-tokens/{token}/rotate";

pub(super) fn configure(api: &mut Api) {
    api.private([operation!(get_all_api_tokens), operation!(create_api_token)]);
    api.private([
        operation!(get_api_tokens_by_name),
        operation!(update_api_token),
        operation!(delete_api_token),
    ]);
    api.private([operation!(rotate_api_token)]);
}

/// Returns the reference to the token that the path names; `None` for text that can name no token.
fn reference(path: &PathParameters) -> Result<Option<TokenReference>, ApiError> {
    Ok(TokenReference::parse(&path.text("token")?))
}

/// Get all api tokens.
///
/// The tokens of the types that the caller may read, in the order of creation: with `ADMIN` all, with
/// `READ_CLIENT_API_TOKEN` those of clients, with `READ_FRONTEND_API_TOKEN` those of frontends.
#[utoipa::path(
    get, path = COLLECTION, operation_id = "getAllApiTokens", tag = "API tokens",
    params(TokenQuery),
    responses(
        (status = 200, description = "The tokens.", body = TokensBody<'_>),
        (status = 304, description = "The client has the tokens already, as its If-None-Match says."),
        (status = 400, description = "The query is malformed; every problem is listed.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "Each of ADMIN, READ_CLIENT_API_TOKEN and READ_FRONTEND_API_TOKEN is missing.", body = ErrorBody),
    )
)]
pub(crate) async fn get_all_api_tokens(
    Authorized(permit): Authorized<InstancePermit<ReadInstanceTokens>>,
    query: Query<TokenQuery>,
    context: Data<Context>,
) -> ApiResult<TokenList> {
    let query = query.read()?;
    let has_cursor = query.has_cursor();
    let page = context.use_cases.instance_tokens.search(&permit, query.into()).await?;
    list_response(page, has_cursor, context).await
}

/// Get api tokens by name.
///
/// All tokens of this name that the caller may read, possibly none. If no token has the name, the token with this id.
#[utoipa::path(
    get, path = ONE, operation_id = "getApiTokensByName", tag = "API tokens",
    params(("token" = String, Path, description = "The tokens' name, or a token's id.")),
    responses(
        (status = 200, description = "The tokens.", body = TokensBody<'_>),
        (status = 304, description = "The client has the tokens already, as its If-None-Match says."),
        (status = 400, description = "The path cannot be decoded.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "Each of ADMIN, READ_CLIENT_API_TOKEN and READ_FRONTEND_API_TOKEN is missing.", body = ErrorBody),
    )
)]
pub(crate) async fn get_api_tokens_by_name(
    Authorized(permit): Authorized<InstancePermit<ReadInstanceTokens>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult<TokenList> {
    let page = context.use_cases.instance_tokens.named(&permit, &path.text("token")?).await?;
    list_response(page, false, context).await
}

/// Create a token of any scope.
///
/// The response shows the secret, which `tokens.reveal = "once"` never shows again.
#[utoipa::path(
    post, path = COLLECTION, operation_id = "createApiToken", tag = "API tokens",
    request_body = CreateTokenBody,
    responses(
        (status = 201, description = "The token.", body = TokenBody<'_>, headers(("Location" = String, description = "Where tokens are listed."))),
        (status = 400, description = "The body is malformed (every problem is listed), or there are as many tokens as there may be.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "ADMIN, or the permission for tokens of this type, is missing; or it is an admin token, and `tokens.allow_admin` is off.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn create_api_token(
    Authorized(permit): Authorized<InstancePermit<CreateInstanceTokens>>,
    body: Body<CreateTokenBody>,
    context: Data<Context>,
) -> ApiResult {
    let request = CreateTokenBody::of_instance(body).await?;
    let token = context.use_cases.instance_tokens.create(&permit, request).await?;
    created_at("api-tokens", &TokenBody::of(&token))
}

/// Update a token.
///
/// Succeeds also if there is no such token.
#[utoipa::path(
    put, path = ONE, operation_id = "updateApiToken", tag = "API tokens",
    params(("token" = String, Path, description = "The token's secret, percent-encoded, or its id.")),
    request_body = UpdateTokenBody,
    responses(
        (status = 200, description = "The token is updated, or there is no such token."),
        (status = 400, description = "`expiresAt` is missing or no time, or the path cannot be decoded.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "ADMIN, or the permission for tokens of this token's type, is missing.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn update_api_token(
    Authorized(permit): Authorized<InstancePermit<UpdateInstanceTokens>>,
    path: PathParameters,
    body: Body<UpdateTokenBody>,
    context: Data<Context>,
) -> ApiResult {
    let reference = reference(&path)?;
    let UpdateTokenBody { expires_at } = body.read().await?;
    if let Some(reference) = reference {
        context.use_cases.instance_tokens.change_expiry(&permit, &reference, Some(expires_at)).await?;
    }
    Ok(empty())
}

/// Give a token a new secret.
///
/// Its name, scope and id stay the same. The old secret is valid beside the new one until the overlap ends.
#[utoipa::path(
    post, path = ROTATION, operation_id = "rotateApiToken", tag = "API tokens",
    params(("token" = String, Path, description = "The token's secret, percent-encoded, or its id.")),
    request_body(content = Option<RotateTokenBody>, content_type = "application/json"),
    responses(
        (status = 200, description = "The token with its new secret, which `tokens.reveal = \"once\"` never shows again.", body = TokenBody<'_>),
        (status = 400, description = "The overlap is no duration or is longer than a year, or the path cannot be decoded.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "ADMIN, or the permission for changing tokens of this token's type, is missing.", body = ErrorBody),
        (status = 404, description = "There is no such token.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn rotate_api_token(
    Authorized(permit): Authorized<InstancePermit<UpdateInstanceTokens>>,
    path: PathParameters,
    body: Body<RotateTokenBody>,
    context: Data<Context>,
) -> ApiResult {
    let reference = reference(&path)?;
    let overlap = body.read_optional().await?.overlap()?;
    let reference = reference.ok_or(ServiceError::NotFound(Missing::Token))?;
    let token = context.use_cases.instance_tokens.rotate(&permit, &reference, overlap).await?;
    ok(&TokenBody::of(&token))
}

/// Revoke a token.
///
/// It is refused from the response on. Succeeds also if there is no such token.
#[utoipa::path(
    delete, path = ONE, operation_id = "deleteApiToken", tag = "API tokens",
    params(("token" = String, Path, description = "The token's secret, percent-encoded, or its id.")),
    responses(
        (status = 200, description = "The token is revoked, or there is no such token."),
        (status = 400, description = "The path cannot be decoded, or names a secret that was replaced.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "ADMIN, or the permission for tokens of this token's type, is missing.", body = ErrorBody),
    )
)]
pub(crate) async fn delete_api_token(
    Authorized(permit): Authorized<InstancePermit<DeleteInstanceTokens>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    if let Some(reference) = reference(&path)? {
        context.use_cases.instance_tokens.delete(&permit, &reference).await?;
    }
    Ok(empty())
}
