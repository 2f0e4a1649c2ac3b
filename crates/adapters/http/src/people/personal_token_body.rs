//! The bodies of personal access tokens, of users and of service accounts.

use deserr::Deserr;
use latchkey_domain::{Description, PersonalToken, Timestamp, TokenSecret};
use latchkey_service::{IssuedPersonalToken, PersonalTokenDraft};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{extract::Problems, wire_time::WireTime};

/// Creates a personal access token.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = createPatSchema, rename_all = "camelCase")]
pub(super) struct CreatePersonalTokenBody {
    /// What the token is for: 1 to 500 characters, trimmed; unique among the user's tokens.
    #[schema(value_type = String, example = "ci", min_length = 1, max_length = 500)]
    description: Description,
    /// When the token expires, as in RFC 3339: a time in the future.
    #[schema(value_type = String, format = DateTime, example = "2030-04-19T08:15:14.000Z")]
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
    #[schema(value_type = String, format = DateTime, example = "2030-04-19T08:15:14.000Z")]
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
