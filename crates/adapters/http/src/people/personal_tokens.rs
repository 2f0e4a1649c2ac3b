//! `/api/admin/user/tokens`: the caller's own personal access tokens.

use std::sync::Arc;

use latchkey_domain::PersonalTokenId;
use latchkey_service::SignedIn;

use crate::{
    api::{Api, operation},
    call::Call,
    error::ApiError,
    error_body::ErrorBody,
    error_responses::{BodyErrors, CallerErrors},
    people::personal_token_body::{
        CreatePersonalTokenBody, IssuedPersonalTokenBody, PersonalTokensBody, draft,
    },
    response::{ApiResult, Tagged, created, empty, tagged},
};

const COLLECTION: &str = "/api/admin/user/tokens";
const ONE: &str = "/api/admin/user/tokens/{id}";
/// About what one token takes in JSON, in bytes.
const TOKEN_BYTES: usize = 256;

pub(crate) fn configure(api: &mut Api) {
    api.private([operation!(get_pats), operation!(create_pat)]);
    api.private([operation!(delete_pat)]);
}

async fn signed_in(call: &Call) -> Result<SignedIn, ApiError> {
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
        (status = 403, description = "The caller is an API token, and no user.", body = ErrorBody),
    )
)]
pub(crate) async fn get_pats(call: Call) -> ApiResult<Tagged> {
    let user = signed_in(&call).await?;
    let tokens = call.context.use_cases.personal_tokens.list(&user).await?;
    tagged(&PersonalTokensBody::of(&tokens), 16 + TOKEN_BYTES * tokens.len())
}

/// Create a personal access token.
///
/// It acts with your permissions of the moment. The answer shows the secret, this once.
#[utoipa::path(
    post, path = COLLECTION, operation_id = "createPat", tag = "Personal access tokens",
    request_body = CreatePersonalTokenBody,
    responses(
        (status = 201, description = "The token with its secret.", body = IssuedPersonalTokenBody<'_>),
        (status = 400, description = "The body is at fault; every problem is listed.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The caller is an API token, and no user; or has as many tokens as one may; or another site had a browser ask.", body = ErrorBody),
        (status = 409, description = "You have a token of this description already.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn create_pat(call: Call) -> ApiResult {
    let user = signed_in(&call).await?;
    let context = Arc::clone(&call.context);
    let draft = draft(call.json().await?)?;
    let issued = context.use_cases.personal_tokens.create(&user, draft).await?;
    created(&IssuedPersonalTokenBody::of(&issued))
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
        (status = 404, description = "You have no such token.", body = ErrorBody),
    )
)]
pub(crate) async fn delete_pat(call: Call) -> ApiResult {
    let user = signed_in(&call).await?;
    let id = PersonalTokenId(call.id_parameter("id")?);
    call.context.use_cases.personal_tokens.delete(&user, id).await?;
    Ok(empty())
}
