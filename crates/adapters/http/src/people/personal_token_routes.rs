//! `/api/admin/user/tokens`: the caller's own personal access tokens.

use actix_web::web::Data;
use latchkey_domain::PersonalTokenId;
use latchkey_service::SignedIn;

use super::personal_token_body::{CreatePersonalTokenBody, IssuedPersonalTokenBody, PersonalTokensBody};
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Authorized, Body, PathParameters},
    response::{ApiResult, Tagged, created, empty, tagged},
};

const COLLECTION: &str = "/api/admin/user/tokens";
const ONE: &str = "/api/admin/user/tokens/{id}";
/// About how large one token is in JSON, in bytes.
const TOKEN_BYTES: usize = 256;

pub(super) fn configure(api: &mut Api) {
    api.tag("Personal access tokens").private(operations![get_pats, create_pat, delete_pat]);
}

/// Get your personal access tokens.
///
/// By id, expired ones too, and without their secrets.
#[utoipa::path(get, path = COLLECTION, responses(
    (status = 200, description = "The tokens.", body = PersonalTokensBody<'_>),
))]
async fn get_pats(Authorized(user): Authorized<SignedIn>, context: Data<Context>) -> ApiResult<Tagged> {
    let tokens = context.use_cases.personal_tokens.list(&user).await?;
    tagged(&PersonalTokensBody::of(&tokens), 16 + TOKEN_BYTES * tokens.len())
}

/// Create a personal access token.
///
/// It has the permissions that you have whenever it is used. The response shows the secret, which is never shown again.
#[utoipa::path(post, path = COLLECTION, responses(
    (status = 201, description = "The token with its secret.", body = IssuedPersonalTokenBody<'_>),
    (status = 403, description = "Or the caller has the maximum number of tokens."),
    (status = 409, description = "You have a token with this description already."),
))]
async fn create_pat(
    Authorized(user): Authorized<SignedIn>,
    body: Body<CreatePersonalTokenBody>,
    context: Data<Context>,
) -> ApiResult {
    let draft = body.read().await?.into();
    let issued = context.use_cases.personal_tokens.create(&user, draft).await?;
    created(&IssuedPersonalTokenBody::of(&issued))
}

/// Revoke one of your personal access tokens.
///
/// It is refused from the response on.
#[utoipa::path(delete, path = ONE, responses(
    (status = 200, description = "The token is revoked."),
    (status = 404, description = "You have no such token."),
))]
async fn delete_pat(
    Authorized(user): Authorized<SignedIn>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    let id = PersonalTokenId(path.id("id")?);
    context.use_cases.personal_tokens.delete(&user, id).await?;
    Ok(empty())
}
