//! `/api/admin/user/tokens`: the caller's own personal access tokens.

use std::sync::Arc;

use actix_web::http::Method;
use latchkey_domain::PersonalTokenId;
use latchkey_service::SignedIn;
use utoipa::OpenApi;

use super::table::{Path, Table};
use crate::{
    answers::{Answer, created_nowhere, done, tagged},
    call::Call,
    error_answers::{BodyErrors, CallerErrors},
    error_body::ErrorBody,
    failure::Failure,
    personal_token_body::{
        CreatePersonalTokenBody, IssuedPersonalTokenBody, PersonalTokenBody, PersonalTokensBody, draft,
    },
};

const COLLECTION: &str = "/api/admin/user/tokens";
const ONE: &str = "/api/admin/user/tokens/{id}";
/// About what one token takes in JSON, in bytes.
const TOKEN_BYTES: usize = 256;

/// This module's part of the document.
#[derive(OpenApi)]
#[openapi(
    paths(get_pats, create_pat, delete_pat),
    components(schemas(
        CreatePersonalTokenBody,
        IssuedPersonalTokenBody<'_>,
        PersonalTokenBody<'_>,
        PersonalTokensBody<'_>
    ))
)]
pub(crate) struct Document;

pub(super) fn routes(table: &mut Table) {
    Path::private(COLLECTION, "GET,HEAD,POST")
        .on(Method::GET, get_pats)
        .on(Method::POST, create_pat)
        .add(table);
    Path::private(ONE, "DELETE").on(Method::DELETE, delete_pat).add(table);
}

async fn signed_in(call: &Call) -> Result<SignedIn, Failure> {
    Ok(SignedIn::request(&call.caller().await?)?)
}

/// Get your personal access tokens.
///
/// Expired ones too, by id, and without their secrets.
#[utoipa::path(
    get, path = COLLECTION, operation_id = "getPats", tag = "Personal access tokens",
    responses(
        (status = 200, description = "The tokens.", body = PersonalTokensBody<'_>),
        (status = 304, description = "The client has the tokens already, as its If-None-Match says."),
        CallerErrors,
        (status = 403, description = "The caller is an API token, and no user.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "OperationDeniedError", "message": "Only a user can do this, and an API token is none: sign in, or use a personal access token."})),
    )
)]
pub(crate) async fn get_pats(call: Call) -> Answer {
    let user = signed_in(&call).await?;
    let tokens = call.context.use_cases.personal_tokens.list(&user).await?;
    tagged(&call.request, &PersonalTokensBody::of(&tokens), 16 + TOKEN_BYTES * tokens.len())
}

/// Create a personal access token.
///
/// It acts with your permissions of the moment. The answer shows the secret, this once.
#[utoipa::path(
    post, path = COLLECTION, operation_id = "createPat", tag = "Personal access tokens",
    request_body = CreatePersonalTokenBody,
    responses(
        (status = 201, description = "The token with its secret.", body = IssuedPersonalTokenBody<'_>),
        (status = 400, description = "The body is at fault; every problem is listed.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "BadDataError", "message": "Request validation failed: your request body or params contain invalid data: The expiry date must lie in the future.", "details": [{"message": "The expiry date must lie in the future.", "path": "/body/expiresAt"}]})),
        CallerErrors,
        (status = 403, description = "The caller is an API token, and no user; or has as many tokens as one may; or another site had a browser ask.", body = ErrorBody),
        (status = 409, description = "You have a token of this description already.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "NameExistsError", "message": "A personal access token of this description exists already."})),
        BodyErrors,
    )
)]
pub(crate) async fn create_pat(call: Call) -> Answer {
    let user = signed_in(&call).await?;
    let context = Arc::clone(&call.context);
    let draft = draft(call.json().await?)?;
    let issued = context.use_cases.personal_tokens.create(&user, draft).await?;
    created_nowhere(&IssuedPersonalTokenBody::of(&issued))
}

/// Revoke one of your personal access tokens.
///
/// It is refused from the answer on.
#[utoipa::path(
    delete, path = ONE, operation_id = "deletePat", tag = "Personal access tokens",
    params(("id" = i64, Path, description = "The token's id.")),
    responses(
        (status = 200, description = "The token is revoked."),
        (status = 400, description = "The id is no integer.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The caller is an API token, and no user; or another site had a browser ask.", body = ErrorBody),
        (status = 404, description = "You have no such token.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "NotFoundError", "message": "No PAT found."})),
    )
)]
pub(crate) async fn delete_pat(call: Call) -> Answer {
    let user = signed_in(&call).await?;
    let id = PersonalTokenId(call.id_parameter("id")?);
    call.context.use_cases.personal_tokens.delete(&user, id).await?;
    Ok(done())
}
