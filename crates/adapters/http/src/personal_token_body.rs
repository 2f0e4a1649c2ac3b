//! The bodies of personal access tokens, a user's own and a service account's.

use latchkey_domain::{Description, PersonalToken, TokenSecret};
use latchkey_service::{IssuedPersonalToken, PersonalTokenDraft};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{failure::Failure, fields::Fields, moments::Moment};

/// A body that creates a personal access token.
#[derive(ToSchema)]
#[schema(as = createPatSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `draft` reads it, problem by problem")]
pub(crate) struct CreatePersonalTokenBody {
    /// What it is for: 1 to 500 characters, trimmed; unique among the user's.
    #[schema(example = "ci", min_length = 1, max_length = 500)]
    description: String,
    /// When it ends, RFC 3339; must lie ahead.
    #[schema(rename = "expiresAt", example = "2030-04-19T08:15:14.000Z", format = DateTime)]
    expires_at: String,
}

/// Reads the body.
///
/// # Errors
/// [`Failure::BadInput`] with every problem of every member.
pub(crate) fn draft(body: Value) -> Result<PersonalTokenDraft, Failure> {
    let mut fields = Fields::of(body)?;
    let description = fields
        .required("description", |text| Description::new(text).map_err(|error| format!("The {error}.")));
    fields.need("expiresAt");
    let expires_at = fields.moment("expiresAt");
    let draft = description
        .zip(expires_at)
        .map(|(description, expires_at)| PersonalTokenDraft { description, expires_at });
    fields.finish(draft)
}

/// A personal access token, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = patSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PersonalTokenBody<'t> {
    /// The id.
    #[schema(example = 1)]
    id: i64,
    /// What it is for.
    #[schema(value_type = String, example = "ci")]
    description: &'t str,
    /// When it ends.
    #[schema(value_type = String, format = DateTime, example = "2030-04-19T08:15:14.000Z")]
    expires_at: Moment,
    /// Whose it is.
    #[schema(example = 123)]
    user_id: i64,
    /// When it was created.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    created_at: Moment,
    /// When it last authenticated; null: never.
    #[schema(value_type = Option<String>, format = DateTime, required = true, example = "2023-04-19T08:15:14.000Z")]
    #[serde(rename = "seenAt")]
    last_used_at: Option<Moment>,
}

impl<'t> PersonalTokenBody<'t> {
    pub(crate) fn of(token: &'t PersonalToken) -> Self {
        Self {
            id: token.id.0,
            description: token.description.as_str(),
            expires_at: Moment(token.expires_at),
            user_id: token.user.0,
            created_at: Moment(token.created_at),
            last_used_at: token.last_used_at.map(Moment),
        }
    }
}

/// A personal access token with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = createdPatSchema)]
pub(crate) struct IssuedPersonalTokenBody<'t> {
    #[serde(flatten)]
    token: PersonalTokenBody<'t>,
    /// The secret, which nobody can show again.
    #[schema(value_type = String, example = "user:xyzrandomstring")]
    secret: &'t str,
}

impl<'t> IssuedPersonalTokenBody<'t> {
    /// The token, shown to who had it created.
    pub(crate) fn of(issued: &'t IssuedPersonalToken) -> Self {
        Self { token: PersonalTokenBody::of(&issued.token), secret: TokenSecret::reveal(&issued.secret) }
    }
}

/// A list of personal access tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = patsSchema)]
pub(crate) struct PersonalTokensBody<'t> {
    /// The tokens, by id.
    pats: Vec<PersonalTokenBody<'t>>,
}

impl<'t> PersonalTokensBody<'t> {
    pub(crate) fn of(tokens: &'t [PersonalToken]) -> Self {
        Self { pats: tokens.iter().map(PersonalTokenBody::of).collect() }
    }
}
