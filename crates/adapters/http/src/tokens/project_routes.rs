//! `/api/admin/projects/{projectId}/api-tokens`: the tokens of a project. `/api/admin/project-api-tokens`: those of all that the caller
//! may read.

use actix_web::web::Data;
use latchkey_service::{
    CreateTokens, DeleteTokens, Missing, Permit, ProjectsPermit, ReadTokens, ServiceError, TokenReference,
    UpdateTokens,
};

use super::{
    answer::{self, Shown, answer, created},
    body::{CreateTokenBody, CreateTokensBody, PatchTokenBody, RotateTokenBody},
    list::{TokenList, TokensBody, list_response},
    query::TokenQuery,
    token_body::{TOKEN_BYTES, TokenBody},
};
use crate::{
    api::{Api, operations},
    context::Context,
    error::ApiError,
    extract::{Authorized, Body, IdempotencyKey, PathParameters, Query},
    response::{ApiResult, Tagged, empty, ok, tagged},
    warnings::{Warning, Warnings},
};

const COLLECTION: &str = "/api/admin/projects/{projectId}/api-tokens";
const ONE: &str = "/api/admin/projects/{projectId}/api-tokens/{token}";

pub(super) fn configure(api: &mut Api) {
    api.tag("Projects").private(operations![
        get_api_tokens_of_projects,
        get_project_api_tokens,
        create_project_api_token,
        get_project_api_token,
        patch_project_api_token,
        delete_project_api_token,
        rotate_project_api_token
    ]);
    let [batch] = operations![create_project_api_tokens];
    // `batch` can also be a token's name.
    api.private_beside_parameter(batch, ONE);
}

/// Returns the reference to the token that the path names. Text that can name no token is not found.
pub(super) fn reference(path: &PathParameters) -> Result<TokenReference, ApiError> {
    let token = path.text("token")?;
    Ok(TokenReference::parse(&token).ok_or(ServiceError::NotFound(Missing::Token))?)
}

/// Get api tokens for project.
///
/// The tokens that name this project, in the order of creation. Admin tokens and tokens for all projects are not among them.
/// `metadata.<name>=<value>` selects those whose metadata has this text, number, boolean or null in that member.
#[utoipa::path(get, path = COLLECTION, responses(
    (status = 200, description = "The tokens.", body = TokensBody<'_>),
))]
pub(crate) async fn get_project_api_tokens(
    Authorized(permit): Authorized<Permit<ReadTokens>>,
    query: Query<TokenQuery>,
    context: Data<Context>,
) -> ApiResult<TokenList> {
    let (filter, has_cursor) = TokenQuery::read(&query)?;
    let page = context.use_cases.project_tokens.search(&permit, filter).await?;
    list_response(page, has_cursor, context).await
}

/// Get api tokens for all projects that the caller may read.
///
/// The tokens that name a project in which the caller may read them, in the order of creation. Admin tokens and tokens for all
/// projects are not among them. `metadata.<name>=<value>` selects those whose metadata has this text, number, boolean or null in that
/// member.
#[utoipa::path(get, path = "/api/admin/project-api-tokens", responses(
    (status = 200, description = "The tokens.", body = TokensBody<'_>),
    (status = 403, description = "In every project."),
))]
pub(crate) async fn get_api_tokens_of_projects(
    Authorized(permit): Authorized<ProjectsPermit<ReadTokens>>,
    query: Query<TokenQuery>,
    context: Data<Context>,
) -> ApiResult<TokenList> {
    let (filter, has_cursor) = TokenQuery::read(&query)?;
    let page = context.use_cases.project_tokens.search_all(&permit, filter).await?;
    list_response(page, has_cursor, context).await
}

/// Get one api token of this project.
///
/// It is found by its secret or its id.
#[utoipa::path(get, path = ONE, responses(
    (status = 200, description = "The token.", body = TokenBody<'_>),
    (status = 404, description = "Or it has no such token."),
))]
pub(crate) async fn get_project_api_token(
    Authorized(permit): Authorized<Permit<ReadTokens>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let token = context.use_cases.project_tokens.get(&permit, &reference(&path)?).await?;
    tagged(&TokenBody::of(&token), TOKEN_BYTES).map(Tagged::with_secrets)
}

/// Create a token for this project.
///
/// The response shows the secret, which `tokens.reveal = "once"` never shows again.
#[utoipa::path(post, path = COLLECTION, responses(
    (status = 201, description = "The token.", body = TokenBody<'_>,
        headers(("Location" = String, description = "Where tokens are listed."))),
    (status = 400, description = "Or the project has the maximum number of tokens."),
))]
pub(crate) async fn create_project_api_token(
    Authorized(permit): Authorized<Permit<CreateTokens>>,
    body: Body<CreateTokenBody>,
    key: IdempotencyKey,
    warnings: Warnings,
    context: Data<Context>,
) -> ApiResult {
    let (request, kind) = CreateTokenBody::of_project(body).await?;
    let is_expired = request.is_expired_at(context.use_cases.now());
    let caller = (&key, permit.caller().principal());
    let answer = answer(&context, caller, Shown::Created(kind), async |keeper| {
        let tokens = context.use_cases.project_tokens.keeping(keeper);
        Ok(vec![tokens.create(&permit, request).await?])
    });
    let answer = answer.await?;
    warnings.add_if(is_expired, Warning::AlreadyExpired);
    Ok(created(answer))
}

/// Create tokens for this project.
///
/// All or none of up to 1,000, in one transaction, with an event each. The response has them in the same order, with their
/// secrets, which `tokens.reveal = "once"` never shows again. A problem is reported at its entry: `/body/tokens/3/expiresAt`.
#[utoipa::path(post, path = "/api/admin/projects/{projectId}/api-tokens/batch", responses(
    (status = 201, description = "The tokens.", body = TokensBody<'_>,
        headers(("Location" = String, description = "Where tokens are listed."))),
    (status = 400, description = "Or the project has no room for all of them."),
))]
pub(crate) async fn create_project_api_tokens(
    Authorized(permit): Authorized<Permit<CreateTokens>>,
    body: Body<CreateTokensBody>,
    key: IdempotencyKey,
    warnings: Warnings,
    context: Data<Context>,
) -> ApiResult {
    let requests = CreateTokensBody::of_project(body).await?;
    let now = context.use_cases.now();
    let is_any_expired = requests.iter().any(|request| request.is_expired_at(now));
    let caller = (&key, permit.caller().principal());
    let answer = answer(&context, caller, Shown::Several, async |keeper| {
        context.use_cases.project_tokens.keeping(keeper).create_all(&permit, requests).await
    });
    let answer = answer.await?;
    warnings.add_if(is_any_expired, Warning::AlreadyExpired);
    Ok(created(answer))
}

/// Change a token of this project.
///
/// A merge patch (RFC 7396): absent members stay as they are.
#[utoipa::path(patch, path = ONE,
    request_body(content = PatchTokenBody, content_type = "application/merge-patch+json"), responses(
    (status = 200, description = "The changed token.", body = TokenBody<'_>),
    (status = 400, description = "Or the token belongs to several projects, or the secret was replaced."),
    (status = 404, description = "Or it has no such token."),
))]
pub(crate) async fn patch_project_api_token(
    Authorized(permit): Authorized<Permit<UpdateTokens>>,
    path: PathParameters,
    body: Body<PatchTokenBody>,
    context: Data<Context>,
) -> ApiResult {
    let change = body.read_patch().await?.into();
    let token = context.use_cases.project_tokens.update(&permit, &reference(&path)?, &change).await?;
    ok(&TokenBody::of(&token))
}

/// Give a token of this project a new secret.
///
/// Its name, scope and id stay the same. The old secret is valid beside the new one until the overlap ends.
#[utoipa::path(post, path = "/api/admin/projects/{projectId}/api-tokens/{token}/rotate",
    request_body(content = Option<RotateTokenBody>, content_type = "application/json"), responses(
    (status = 200, description = "The token with its new secret, which `tokens.reveal = \"once\"` never shows again.", body = TokenBody<'_>),
    (status = 400, description = "Or the token belongs to several projects."),
    (status = 404, description = "Or it has no such token."),
))]
pub(crate) async fn rotate_project_api_token(
    Authorized(permit): Authorized<Permit<UpdateTokens>>,
    path: PathParameters,
    body: Body<RotateTokenBody>,
    key: IdempotencyKey,
    context: Data<Context>,
) -> ApiResult {
    let overlap = body.read_optional().await?.overlap()?;
    let reference = reference(&path)?;
    let caller = (&key, permit.caller().principal());
    let answer = answer(&context, caller, Shown::Rotated, async |keeper| {
        let tokens = context.use_cases.project_tokens.keeping(keeper);
        Ok(vec![tokens.rotate(&permit, &reference, overlap).await?])
    });
    Ok(answer::ok(answer.await?))
}

/// Revoke a token of this project.
///
/// It is refused from the response on.
#[utoipa::path(delete, path = ONE, responses(
    (status = 200, description = "The token is revoked."),
    (status = 400, description = "Or the token belongs to several projects, or the secret was replaced."),
    (status = 404, description = "Or it has no such token."),
))]
pub(crate) async fn delete_project_api_token(
    Authorized(permit): Authorized<Permit<DeleteTokens>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    context.use_cases.project_tokens.delete(&permit, &reference(&path)?).await?;
    Ok(empty())
}
