//! `/api/admin/api-tokens`: tokens of any scope (contract, "Instance tokens").

use std::sync::Arc;

use actix_web::http::Method;
use latchkey_service::{
    CreateInstanceTokens, DeleteInstanceTokens, InstanceAction, InstancePermit, Missing, ReadInstanceTokens,
    ServiceError, TokenFilter, TokenReference, UpdateInstanceTokens,
};
use utoipa::OpenApi;

use super::table::{Path, Table};
use crate::{
    answers::{Answer, created, done, shown, tagged},
    call::Call,
    error_answers::{BodyErrors, CallerErrors},
    error_body::ErrorBody,
    failure::Failure,
    instance_token_body::{self, CreateInstanceTokenBody, UpdateTokenBody},
    rotation_body::{self, RotateTokenBody},
    token_body::{TOKEN_BYTES, TokenBody, TokensBody},
    token_query::{Asked, TokenParameters, asked, found},
};

const COLLECTION: &str = "/api/admin/api-tokens";
const ONE: &str = "/api/admin/api-tokens/{token}";
const ROTATION: &str = "/api/admin/api-tokens/{token}/rotate";

/// This module's part of the document.
#[derive(OpenApi)]
#[openapi(
    paths(
        get_all_api_tokens,
        get_api_tokens_by_name,
        create_api_token,
        update_api_token,
        rotate_api_token,
        delete_api_token
    ),
    components(schemas(CreateInstanceTokenBody, UpdateTokenBody, RotateTokenBody))
)]
pub(crate) struct Document;

pub(super) fn routes(table: &mut Table) {
    Path::private(COLLECTION, "GET,HEAD,POST")
        .on(Method::GET, get_all_api_tokens)
        .on(Method::POST, create_api_token)
        .add(table);
    Path::private(ONE, "GET,HEAD,PUT,DELETE")
        .on(Method::GET, get_api_tokens_by_name)
        .on(Method::PUT, update_api_token)
        .on(Method::DELETE, delete_api_token)
        .add(table);
    Path::private(ROTATION, "POST").on(Method::POST, rotate_api_token).add(table);
}

async fn permit<A: InstanceAction>(call: &Call) -> Result<InstancePermit<A>, Failure> {
    Ok(InstancePermit::request(&call.caller().await?)?)
}

/// The token that the path names; `None` where it can name none.
fn reference(call: &Call) -> Result<Option<TokenReference>, Failure> {
    Ok(TokenReference::parse(&call.parameter("token")?))
}

/// Get all api tokens.
///
/// The tokens of the kinds that one may read, by creation: with `ADMIN` all, with `READ_CLIENT_API_TOKEN` those of
/// clients, with `READ_FRONTEND_API_TOKEN` those of frontends.
#[utoipa::path(
    get, path = COLLECTION, operation_id = "getAllApiTokens", tag = "API tokens",
    params(TokenParameters),
    responses(
        (status = 200, description = "The tokens.", body = TokensBody<'_>),
        (status = 304, description = "The client has the tokens already, as its If-None-Match says."),
        (status = 400, description = "The query cannot be read; every problem is listed.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "BadDataError", "message": "Request validation failed: your request body or params contain invalid data: limit must lie between 1 and 1000.", "details": [{"message": "limit must lie between 1 and 1000.", "path": "/query/limit"}]})),
        CallerErrors,
        (status = 403, description = "Each of ADMIN, READ_CLIENT_API_TOKEN and READ_FRONTEND_API_TOKEN is missing.", body = ErrorBody),
    )
)]
pub(crate) async fn get_all_api_tokens(call: Call) -> Answer {
    let permit: InstancePermit<ReadInstanceTokens> = permit(&call).await?;
    let plain = || Asked { filter: TokenFilter::default(), pages: false };
    let Asked { filter, pages } = asked(call.query()?)?.unwrap_or_else(plain);
    let page = call.context.use_cases.instance_tokens.search(&permit, filter).await?;
    found(&call.request, &page, pages)
}

/// Get api tokens by name.
///
/// All tokens of this name that one may read, possibly none. Where no token has it, the token that has it as its id.
#[utoipa::path(
    get, path = ONE, operation_id = "getApiTokensByName", tag = "API tokens",
    params(("token" = String, Path, description = "The tokens' name, or a token's id.")),
    responses(
        (status = 200, description = "The tokens.", body = TokensBody<'_>),
        (status = 304, description = "The client has the tokens already, as its If-None-Match says."),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "Each of ADMIN, READ_CLIENT_API_TOKEN and READ_FRONTEND_API_TOKEN is missing.", body = ErrorBody),
    )
)]
pub(crate) async fn get_api_tokens_by_name(call: Call) -> Answer {
    let permit: InstancePermit<ReadInstanceTokens> = permit(&call).await?;
    let name = call.parameter("token")?;
    let tokens = call.context.use_cases.instance_tokens.named(&permit, &name).await?;
    tagged(&call.request, &TokensBody::of(&tokens), 16 + TOKEN_BYTES * tokens.len())
}

/// Create a token of any scope.
///
/// The answer shows the secret, which `tokens.reveal = "once"` never shows again.
#[utoipa::path(
    post, path = COLLECTION, operation_id = "createApiToken", tag = "API tokens",
    request_body = CreateInstanceTokenBody,
    responses(
        (status = 201, description = "The token.", body = TokenBody<'_>, headers(("Location" = String, description = "Where tokens are listed."))),
        (status = 400, description = "The body is at fault (every problem is listed), or there are as many tokens as there may be.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "ADMIN, or the permission for tokens of this type, is missing; or it is an admin token, and `tokens.allow_admin` is off.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn create_api_token(call: Call) -> Answer {
    let permit: InstancePermit<CreateInstanceTokens> = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let draft = instance_token_body::draft(call.json().await?)?;
    let token = context.use_cases.instance_tokens.create(&permit, draft).await?;
    created("api-tokens", &TokenBody::of(&token))
}

/// Change when a token ends.
///
/// Done as well where there is no such token.
#[utoipa::path(
    put, path = ONE, operation_id = "updateApiToken", tag = "API tokens",
    params(("token" = String, Path, description = "The token's secret, percent-encoded, or its id.")),
    request_body = UpdateTokenBody,
    responses(
        (status = 200, description = "The token ends then, or there is no such token."),
        (status = 400, description = "`expiresAt` is missing or no moment, or the path cannot be read.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "ADMIN, or the permission for tokens of this token's type, is missing.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn update_api_token(call: Call) -> Answer {
    let permit: InstancePermit<UpdateInstanceTokens> = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let reference = reference(&call)?;
    let expires_at = instance_token_body::expiry(call.json().await?)?;
    if let Some(reference) = reference {
        context.use_cases.instance_tokens.change_expiry(&permit, &reference, Some(expires_at)).await?;
    }
    Ok(done())
}

/// Give a token a new secret.
///
/// Name, scope and id stay. The old secret is good beside the new one until the overlap ends.
#[utoipa::path(
    post, path = ROTATION, operation_id = "rotateApiToken", tag = "API tokens",
    params(("token" = String, Path, description = "The token's secret, percent-encoded, or its id.")),
    request_body(content = Option<RotateTokenBody>, content_type = "application/json"),
    responses(
        (status = 200, description = "The token with its new secret, which `tokens.reveal = \"once\"` never shows again.", body = TokenBody<'_>),
        (status = 400, description = "The overlap is no duration, or longer than a year; or the path cannot be read.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "ADMIN, or the permission for changing tokens of this token's type, is missing.", body = ErrorBody),
        (status = 404, description = "There is no such token.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn rotate_api_token(call: Call) -> Answer {
    let permit: InstancePermit<UpdateInstanceTokens> = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let reference = reference(&call)?;
    let overlap = rotation_body::overlap(call.optional_json().await?)?;
    let reference = reference.ok_or(ServiceError::NotFound(Missing::Token))?;
    let token = context.use_cases.instance_tokens.rotate(&permit, &reference, overlap).await?;
    shown(&TokenBody::of(&token))
}

/// Revoke a token.
///
/// It is refused from the answer on. Done as well where there is no such token.
#[utoipa::path(
    delete, path = ONE, operation_id = "deleteApiToken", tag = "API tokens",
    params(("token" = String, Path, description = "The token's secret, percent-encoded, or its id.")),
    responses(
        (status = 200, description = "The token is revoked, or there is no such token."),
        (status = 400, description = "The path cannot be read, or names a secret that was replaced.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "ADMIN, or the permission for tokens of this token's type, is missing.", body = ErrorBody),
    )
)]
pub(crate) async fn delete_api_token(call: Call) -> Answer {
    let permit: InstancePermit<DeleteInstanceTokens> = permit(&call).await?;
    if let Some(reference) = reference(&call)? {
        call.context.use_cases.instance_tokens.delete(&permit, &reference).await?;
    }
    Ok(done())
}
