//! `/api/admin/projects/{projectId}/api-tokens`: the tokens of a project.

use actix_web::web::Data;
use latchkey_service::{
    CreateTokens, DeleteTokens, Missing, Permit, ReadTokens, RotateTokens, ServiceError, TokenReference,
};

use super::{
    body::{CreateTokenBody, RotateTokenBody, TOKEN_BYTES, TokenBody, TokensBody},
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
    response::{ApiResult, Tagged, created_at, empty, ok, tagged},
};

const COLLECTION: &str = "/api/admin/projects/{projectId}/api-tokens";
const ONE: &str = "/api/admin/projects/{projectId}/api-tokens/{token}";
const ROTATION: &str = "/api/admin/projects/{projectId}/api-tokens/{token}/rotate";

pub(super) fn configure(api: &mut Api) {
    api.private([operation!(get_project_api_tokens), operation!(create_project_api_token)]);
    api.private([operation!(get_project_api_token), operation!(delete_project_api_token)]);
    api.private([operation!(rotate_project_api_token)]);
}

/// Returns the reference to the token that the path names. Text that can name no token is not found.
fn reference(path: &PathParameters) -> Result<TokenReference, ApiError> {
    let token = path.text("token")?;
    Ok(TokenReference::parse(&token).ok_or(ServiceError::NotFound(Missing::Token))?)
}

/// Get api tokens for project.
///
/// The tokens that name this project, in the order of creation. Admin tokens and tokens for all projects are not among them.
#[utoipa::path(
    get, path = COLLECTION, operation_id = "getProjectApiTokens", tag = "Projects",
    params(("projectId" = String, Path, description = "The id of the project."), TokenQuery),
    responses(
        (status = 200, description = "The tokens.", body = TokensBody<'_>),
        (status = 304, description = "The client has the tokens already, as its If-None-Match says."),
        (status = 400, description = "The path or the query is malformed; every problem is listed.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission READ_PROJECT_API_TOKEN is missing.", body = ErrorBody),
        (status = 404, description = "There is no such project.", body = ErrorBody),
    )
)]
pub(crate) async fn get_project_api_tokens(
    Authorized(permit): Authorized<Permit<ReadTokens>>,
    query: Query<TokenQuery>,
    context: Data<Context>,
) -> ApiResult<TokenList> {
    let query = query.read()?;
    let has_cursor = query.has_cursor();
    let page = context.use_cases.project_tokens.search(&permit, query.into()).await?;
    list_response(page, has_cursor, context).await
}

/// Get one api token of this project.
///
/// It is found by its secret or its id.
#[utoipa::path(
    get, path = ONE, operation_id = "getProjectApiToken", tag = "Projects",
    params(
        ("projectId" = String, Path, description = "The id of the project."),
        ("token" = String, Path, description = "The token's secret, percent-encoded, or its id."),
    ),
    responses(
        (status = 200, description = "The token.", body = TokenBody<'_>),
        (status = 304, description = "The client has the token already, as its If-None-Match says."),
        (status = 400, description = "The path cannot be decoded.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission READ_PROJECT_API_TOKEN is missing.", body = ErrorBody),
        (status = 404, description = "The project has no such token.", body = ErrorBody),
    )
)]
pub(crate) async fn get_project_api_token(
    Authorized(permit): Authorized<Permit<ReadTokens>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let token = context.use_cases.project_tokens.get(&permit, &reference(&path)?).await?;
    tagged(&TokenBody::of(&token), TOKEN_BYTES)
}

/// Create a token for this project.
///
/// The response shows the secret, which `tokens.reveal = "once"` never shows again.
#[utoipa::path(
    post, path = COLLECTION, operation_id = "createProjectApiToken", tag = "Projects",
    params(("projectId" = String, Path, description = "The id of the project.")),
    request_body = CreateTokenBody,
    responses(
        (status = 201, description = "The token.", body = TokenBody<'_>, headers(("Location" = String, description = "Where tokens are listed."))),
        (status = 400, description = "The body is malformed (every problem is listed), or the project has as many tokens as it may have.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission CREATE_PROJECT_API_TOKEN is missing.", body = ErrorBody),
        (status = 404, description = "There is no such project.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn create_project_api_token(
    Authorized(permit): Authorized<Permit<CreateTokens>>,
    body: Body<CreateTokenBody>,
    context: Data<Context>,
) -> ApiResult {
    let request = CreateTokenBody::of_project(body).await?;
    let token = context.use_cases.project_tokens.create(&permit, request).await?;
    created_at("api-tokens", &TokenBody::of(&token))
}

/// Give a token of this project a new secret.
///
/// Its name, scope and id stay the same. The old secret is valid beside the new one until the overlap ends.
#[utoipa::path(
    post, path = ROTATION, operation_id = "rotateProjectApiToken", tag = "Projects",
    params(
        ("projectId" = String, Path, description = "The id of the project."),
        ("token" = String, Path, description = "The token's secret, percent-encoded, or its id."),
    ),
    request_body(content = Option<RotateTokenBody>, content_type = "application/json"),
    responses(
        (status = 200, description = "The token with its new secret, which `tokens.reveal = \"once\"` never shows again.", body = TokenBody<'_>),
        (status = 400, description = "The overlap is no duration or is longer than a year, the token belongs to several projects, or the path cannot be decoded.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "CREATE_PROJECT_API_TOKEN or DELETE_PROJECT_API_TOKEN is missing; both are required.", body = ErrorBody),
        (status = 404, description = "The project has no such token.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn rotate_project_api_token(
    Authorized(permit): Authorized<Permit<RotateTokens>>,
    path: PathParameters,
    body: Body<RotateTokenBody>,
    context: Data<Context>,
) -> ApiResult {
    let overlap = body.read_optional().await?.overlap()?;
    let token = context.use_cases.project_tokens.rotate(&permit, &reference(&path)?, overlap).await?;
    ok(&TokenBody::of(&token))
}

/// Revoke a token of this project.
///
/// It is refused from the response on.
#[utoipa::path(
    delete, path = ONE, operation_id = "deleteProjectApiToken", tag = "Projects",
    params(
        ("projectId" = String, Path, description = "The id of the project."),
        ("token" = String, Path, description = "The token's secret, percent-encoded, or its id."),
    ),
    responses(
        (status = 200, description = "The token is revoked."),
        (status = 400, description = "The token belongs to several projects, the secret was replaced, or the path cannot be decoded.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission DELETE_PROJECT_API_TOKEN is missing.", body = ErrorBody),
        (status = 404, description = "The project has no such token.", body = ErrorBody),
    )
)]
pub(crate) async fn delete_project_api_token(
    Authorized(permit): Authorized<Permit<DeleteTokens>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    context.use_cases.project_tokens.delete(&permit, &reference(&path)?).await?;
    Ok(empty())
}
