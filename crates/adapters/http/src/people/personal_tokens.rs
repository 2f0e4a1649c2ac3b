//! `/api/admin/user/tokens`: the caller's own personal access tokens.

use actix_web::web::Data;
use deserr::Deserr;
use latchkey_domain::{Description, PersonalToken, PersonalTokenId, Timestamp, TokenSecret};
use latchkey_service::{IssuedPersonalToken, PersonalTokenDraft, SignedIn};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Authorized, Body, PathParameters, Problems},
    response::{ApiResult, Tagged, created, empty, tagged},
    wire_time::WireTime,
};

const COLLECTION: &str = "/api/admin/user/tokens";
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
#[utoipa::path(delete, path = "/api/admin/user/tokens/{id}", responses(
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

/// Creates a personal access token.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = createPatSchema, rename_all = "camelCase")]
pub struct CreatePersonalTokenBody {
    /// What the token is for: 1 to 500 characters, trimmed; unique among the user's tokens.
    #[schema(value_type = String, example = "ci", min_length = 1, max_length = 500)]
    description: Description,
    /// When the token expires, as in RFC 3339: a time in the future.
    #[schema(value_type = String, format = DateTime, example = "2099-04-19T08:15:14.000Z")]
    expires_at: Timestamp,
}

impl From<CreatePersonalTokenBody> for PersonalTokenDraft {
    fn from(CreatePersonalTokenBody { description, expires_at }: CreatePersonalTokenBody) -> Self {
        Self { description, expires_at }
    }
}

/// A personal access token, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = patSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PersonalTokenBody<'t> {
    /// The id.
    #[schema(example = 1)]
    id: i64,
    /// What the token is for.
    #[schema(value_type = String, example = "ci")]
    description: &'t str,
    /// When the token expires.
    #[schema(value_type = String, format = DateTime, example = "2099-04-19T08:15:14.000Z")]
    expires_at: WireTime,
    /// The id of the user that the token belongs to.
    #[schema(example = 123)]
    user_id: i64,
    /// When the token was created.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    created_at: WireTime,
    /// When the token last authenticated; null: never.
    #[schema(value_type = Option<String>, format = DateTime, required = true, example = "2023-04-19T08:15:14.000Z")]
    #[serde(rename = "seenAt")]
    last_used_at: Option<WireTime>,
}

impl<'t> PersonalTokenBody<'t> {
    pub(super) fn of(token: &'t PersonalToken) -> Self {
        Self {
            id: token.id.0,
            description: token.description.as_str(),
            expires_at: WireTime(token.expires_at),
            user_id: token.user.0,
            created_at: WireTime(token.created_at),
            last_used_at: token.last_used_at.map(WireTime),
        }
    }
}

/// A personal access token with its secret, which is shown only when the token is created.
#[derive(Serialize, ToSchema)]
#[schema(as = createdPatSchema)]
pub(super) struct IssuedPersonalTokenBody<'t> {
    #[serde(flatten)]
    token: PersonalTokenBody<'t>,
    /// The secret, which cannot be shown again.
    #[schema(value_type = String, example = "user:xyzrandomstring")]
    secret: &'t str,
}

impl<'t> IssuedPersonalTokenBody<'t> {
    /// Shows the token to the caller that created it.
    pub(super) fn of(issued: &'t IssuedPersonalToken) -> Self {
        Self { token: PersonalTokenBody::of(&issued.token), secret: TokenSecret::reveal(&issued.secret) }
    }
}

/// A list of personal access tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = patsSchema)]
pub(super) struct PersonalTokensBody<'t> {
    /// The tokens, by id.
    pats: Vec<PersonalTokenBody<'t>>,
}

impl<'t> PersonalTokensBody<'t> {
    pub(super) fn of(tokens: &'t [PersonalToken]) -> Self {
        Self { pats: tokens.iter().map(PersonalTokenBody::of).collect() }
    }
}
