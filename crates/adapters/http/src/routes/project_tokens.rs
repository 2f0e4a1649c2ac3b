//! `/api/admin/projects/{projectId}/api-tokens`: the tokens of a project (contract, "Project tokens").

use std::sync::Arc;

use actix_web::http::Method;
use latchkey_service::{
    CreateTokens, DeleteTokens, Missing, Permit, ProjectAction, ReadTokens, RotateTokens, ServiceError,
    TokenReference,
};
use utoipa::OpenApi;

use super::table::{Path, Table};
use crate::{
    answers::{Answer, created, done, shown, tagged},
    call::Call,
    error_answers::{BodyErrors, CallerErrors},
    error_body::ErrorBody,
    failure::Failure,
    rotation_body::{self, RotateTokenBody},
    token_body::{CreateTokenBody, TOKEN_BYTES, TokenBody, TokenType, TokensBody, draft},
    token_query::{Asked, TokenParameters, asked, found},
};

const COLLECTION: &str = "/api/admin/projects/{projectId}/api-tokens";
const ONE: &str = "/api/admin/projects/{projectId}/api-tokens/{token}";
const ROTATION: &str = "/api/admin/projects/{projectId}/api-tokens/{token}/rotate";

/// This module's part of the document.
#[derive(OpenApi)]
#[openapi(
    paths(
        get_project_api_tokens,
        get_project_api_token,
        create_project_api_token,
        rotate_project_api_token,
        delete_project_api_token
    ),
    components(schemas(CreateTokenBody, RotateTokenBody, TokenBody<'_>, TokenType, TokensBody<'_>))
)]
pub(crate) struct Document;

pub(super) fn routes(table: &mut Table) {
    Path::private(COLLECTION, "GET,HEAD,POST")
        .on(Method::GET, get_project_api_tokens)
        .on(Method::POST, create_project_api_token)
        .add(table);
    Path::private(ONE, "GET,HEAD,DELETE")
        .on(Method::GET, get_project_api_token)
        .on(Method::DELETE, delete_project_api_token)
        .add(table);
    Path::private(ROTATION, "POST").on(Method::POST, rotate_project_api_token).add(table);
}

async fn permit<A: ProjectAction>(call: &Call) -> Result<Permit<A>, Failure> {
    let caller = call.caller().await?;
    Ok(Permit::request_for(&caller, &call.parameter("projectId")?)?)
}

/// The token that the path names. What can name no token, names one that is not here.
fn reference(call: &Call) -> Result<TokenReference, Failure> {
    let token = call.parameter("token")?;
    Ok(TokenReference::parse(&token).ok_or(ServiceError::NotFound(Missing::Token))?)
}

/// Get api tokens for project.
///
/// The tokens that name this project, by creation. Admin tokens, and tokens for all projects, are not among them.
#[utoipa::path(
    get, path = COLLECTION, operation_id = "getProjectApiTokens", tag = "Projects",
    params(("projectId" = String, Path, description = "The id of the project."), TokenParameters),
    responses(
        (status = 200, description = "The tokens.", body = TokensBody<'_>),
        (status = 304, description = "The client has the tokens already, as its If-None-Match says."),
        (status = 400, description = "The path or the query cannot be read; every problem is listed.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission READ_PROJECT_API_TOKEN is missing.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "NoAccessError", "message": "You need the \"READ_PROJECT_API_TOKEN\" permission to perform this action in the \"default\" project."})),
        (status = 404, description = "There is no such project.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "NotFoundError", "message": "No project found with id \"nope\"."})),
    )
)]
pub(crate) async fn get_project_api_tokens(call: Call) -> Answer {
    let permit: Permit<ReadTokens> = permit(&call).await?;
    let use_case = &call.context.use_cases.project_tokens;
    if let Some(Asked { filter, pages }) = asked(call.query()?)? {
        return found(&call.request, &use_case.search(&permit, filter).await?, pages);
    }
    let tokens = use_case.list(&permit).await?;
    tagged(&call.request, &TokensBody::of(&tokens), 16 + TOKEN_BYTES * tokens.len())
}

/// Get one api token of this project.
///
/// Found by its secret or its id.
#[utoipa::path(
    get, path = ONE, operation_id = "getProjectApiToken", tag = "Projects",
    params(
        ("projectId" = String, Path, description = "The id of the project."),
        ("token" = String, Path, description = "The token's secret, percent-encoded, or its id."),
    ),
    responses(
        (status = 200, description = "The token.", body = TokenBody<'_>),
        (status = 304, description = "The client has the token already, as its If-None-Match says."),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission READ_PROJECT_API_TOKEN is missing.", body = ErrorBody),
        (status = 404, description = "The project has no such token.", body = ErrorBody),
    )
)]
pub(crate) async fn get_project_api_token(call: Call) -> Answer {
    let permit: Permit<ReadTokens> = permit(&call).await?;
    let token = call.context.use_cases.project_tokens.get(&permit, &reference(&call)?).await?;
    tagged(&call.request, &TokenBody::of(&token), TOKEN_BYTES)
}

/// Create a token for this project.
///
/// The answer shows the secret, which `tokens.reveal = "once"` never shows again.
#[utoipa::path(
    post, path = COLLECTION, operation_id = "createProjectApiToken", tag = "Projects",
    params(("projectId" = String, Path, description = "The id of the project.")),
    request_body = CreateTokenBody,
    responses(
        (status = 201, description = "The token.", body = TokenBody<'_>, headers(("Location" = String, description = "Where tokens are listed."))),
        (status = 400, description = "The body is at fault (every problem is listed), or the project has as many tokens as it may.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission CREATE_PROJECT_API_TOKEN is missing.", body = ErrorBody),
        (status = 404, description = "There is no such project.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn create_project_api_token(call: Call) -> Answer {
    let permit: Permit<CreateTokens> = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let draft = draft(call.json().await?)?;
    let token = context.use_cases.project_tokens.create(&permit, draft).await?;
    created("api-tokens", &TokenBody::of(&token))
}

/// Give a token of this project a new secret.
///
/// Name, scope and id stay. The old secret is good beside the new one until the overlap ends.
#[utoipa::path(
    post, path = ROTATION, operation_id = "rotateProjectApiToken", tag = "Projects",
    params(
        ("projectId" = String, Path, description = "The id of the project."),
        ("token" = String, Path, description = "The token's secret, percent-encoded, or its id."),
    ),
    request_body(content = Option<RotateTokenBody>, content_type = "application/json"),
    responses(
        (status = 200, description = "The token with its new secret, which `tokens.reveal = \"once\"` never shows again.", body = TokenBody<'_>),
        (status = 400, description = "The overlap is no duration, or longer than a year; or the token belongs to several projects; or the path cannot be read.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "BadDataError", "message": "Request validation failed: your request body or params contain invalid data: overlap must be a duration as ISO 8601 writes it, such as PT24H, P7D or PT0S."})),
        CallerErrors,
        (status = 403, description = "CREATE_PROJECT_API_TOKEN or DELETE_PROJECT_API_TOKEN is missing; both are needed.", body = ErrorBody),
        (status = 404, description = "The project has no such token.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn rotate_project_api_token(call: Call) -> Answer {
    let permit: Permit<RotateTokens> = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let named = reference(&call);
    let overlap = rotation_body::overlap(call.optional_json().await?)?;
    let token = context.use_cases.project_tokens.rotate(&permit, &named?, overlap).await?;
    shown(&TokenBody::of(&token))
}

/// Revoke a token of this project.
///
/// It is refused from the answer on.
#[utoipa::path(
    delete, path = ONE, operation_id = "deleteProjectApiToken", tag = "Projects",
    params(
        ("projectId" = String, Path, description = "The id of the project."),
        ("token" = String, Path, description = "The token's secret, percent-encoded, or its id."),
    ),
    responses(
        (status = 200, description = "The token is revoked."),
        (status = 400, description = "The token belongs to several projects, the secret was replaced, or the path cannot be read.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission DELETE_PROJECT_API_TOKEN is missing.", body = ErrorBody),
        (status = 404, description = "The project has no such token.", body = ErrorBody),
    )
)]
pub(crate) async fn delete_project_api_token(call: Call) -> Answer {
    let permit: Permit<DeleteTokens> = permit(&call).await?;
    call.context.use_cases.project_tokens.delete(&permit, &reference(&call)?).await?;
    Ok(done())
}
