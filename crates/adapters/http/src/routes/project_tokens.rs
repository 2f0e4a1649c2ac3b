//! `/api/admin/projects/{projectId}/api-tokens`: the tokens of a project (contract, "Project tokens").

use std::sync::Arc;

use actix_web::{HttpResponse, http::Method, web::ServiceConfig};
use latchkey_service::{
    CreateTokens, DeleteTokens, Missing, Permit, ProjectAction, ReadTokens, Refusal, TokenReference,
};

use utoipa::OpenApi;

use super::Path;
use crate::{
    answers::{Answer, created, tagged},
    call::Call,
    context::Context,
    failure::{ErrorBody, Failure},
    token_body::{CreateTokenBody, TOKEN_BYTES, TokenBody, TokenType, TokensBody, draft},
};

const COLLECTION: &str = "/api/admin/projects/{projectId}/api-tokens";
const ONE: &str = "/api/admin/projects/{projectId}/api-tokens/{token}";

/// This module's part of the document.
#[derive(OpenApi)]
#[openapi(paths(get_project_api_tokens, create_project_api_token, delete_project_api_token), components(schemas(CreateTokenBody, TokenBody<'_>, TokenType, TokensBody<'_>)))]
pub(crate) struct Document;

pub(super) fn routes(config: &mut ServiceConfig, context: &Arc<Context>) {
    Path::private(COLLECTION, "GET,HEAD,POST", context)
        .on(Method::GET, get_project_api_tokens)
        .on(Method::POST, create_project_api_token)
        .add(config);
    Path::private(ONE, "DELETE", context).on(Method::DELETE, delete_project_api_token).add(config);
}

async fn permit<A: ProjectAction>(call: &Call) -> Result<Permit<A>, Failure> {
    let caller = call.caller().await?;
    Ok(Permit::request_for(&caller, &call.parameter("projectId")?)?)
}

/// Get api tokens for project.
///
/// The tokens that name this project, by creation. Admin tokens, and tokens for all projects, are not among them.
#[utoipa::path(
    get, path = COLLECTION, operation_id = "getProjectApiTokens", tag = "Projects",
    params(("projectId" = String, Path, description = "The id of the project.")),
    responses(
        (status = 200, description = "The tokens.", body = TokensBody<'_>),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 401, description = "No credentials, or none that are good.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "AuthenticationRequired", "message": "You must log in to use Latchkey. Your request had no authorization header, so we could not authorize you. Try logging in at /auth/simple/login."})),
        (status = 403, description = "The permission READ_PROJECT_API_TOKEN is missing.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "NoAccessError", "message": "You need the \"READ_PROJECT_API_TOKEN\" permission to perform this action in the \"default\" project."})),
        (status = 404, description = "There is no such project.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "NotFoundError", "message": "No project found with id \"nope\"."})),
        (status = 503, description = "The database does not answer.", body = ErrorBody),
    )
)]
pub(crate) async fn get_project_api_tokens(call: Call) -> Answer {
    let permit: Permit<ReadTokens> = permit(&call).await?;
    let tokens = call.context.use_cases.project_tokens.list(&permit).await?;
    tagged(&call.request, &TokensBody::of(&tokens), 16 + TOKEN_BYTES * tokens.len())
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
        (status = 401, description = "No credentials, or none that are good.", body = ErrorBody),
        (status = 403, description = "The permission CREATE_PROJECT_API_TOKEN is missing.", body = ErrorBody),
        (status = 404, description = "There is no such project.", body = ErrorBody),
        (status = 413, description = "The body is larger than 1 MiB.", body = ErrorBody),
        (status = 415, description = "The body is not declared as JSON.", body = ErrorBody),
        (status = 503, description = "The database does not answer.", body = ErrorBody),
    )
)]
pub(crate) async fn create_project_api_token(call: Call) -> Answer {
    let permit: Permit<CreateTokens> = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let draft = draft(call.json().await?)?;
    let token = context.use_cases.project_tokens.create(&permit, draft).await?;
    created("api-tokens", &TokenBody::of(&token))
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
        (status = 400, description = "The token belongs to several projects, or the path cannot be read.", body = ErrorBody),
        (status = 401, description = "No credentials, or none that are good.", body = ErrorBody),
        (status = 403, description = "The permission DELETE_PROJECT_API_TOKEN is missing.", body = ErrorBody),
        (status = 404, description = "The project has no such token.", body = ErrorBody),
        (status = 503, description = "The database does not answer.", body = ErrorBody),
    )
)]
pub(crate) async fn delete_project_api_token(call: Call) -> Answer {
    let permit: Permit<DeleteTokens> = permit(&call).await?;
    let token = call.parameter("token")?;
    let reference = TokenReference::parse(&token).ok_or(Refusal::NotFound(Missing::Token))?;
    call.context.use_cases.project_tokens.delete(&permit, &reference).await?;
    Ok(HttpResponse::Ok().finish())
}
