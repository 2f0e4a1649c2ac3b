//! The bodies that create and change tokens of any scope; what goes out is as on the route of a project.

use latchkey_domain::Timestamp;
use latchkey_service::TokenRequest;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{failure::Failure, fields::Fields, token_body};

/// A body that creates a token of any scope (contract, "Create body").
#[derive(ToSchema)]
#[schema(as = createApiTokenSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `draft` reads it, problem by problem")]
pub(crate) struct CreateInstanceTokenBody {
    /// The name of the token: 1 to 255 characters, trimmed. Required, unless `username` is sent.
    #[schema(rename = "tokenName", example = "some-user", min_length = 1, max_length = 255)]
    token_name: Option<String>,
    /// The old name of `tokenName`. Send one of them.
    #[schema(example = "some-user", min_length = 1, max_length = 255)]
    username: Option<String>,
    /// `client` (or `backend`), `frontend` or `admin`, in any case. `admin` only where `tokens.allow_admin` is on.
    #[schema(example = "client")]
    r#type: String,
    /// The environment that the token works in; of an admin token `*`, which may be left out.
    #[schema(example = "development", default = "development")]
    environment: Option<String>,
    /// The project that the token works in; `*`, or neither this nor `projects`: all.
    #[schema(example = "developerexperience")]
    project: Option<String>,
    /// The projects that the token works in, at least one; with `*` among them, all.
    #[schema(example = json!(["developerexperience", "enterprisegrowth"]), min_items = 1)]
    projects: Option<Vec<String>>,
    /// When the token ends, RFC 3339. Absent or null: never. A moment in the past makes it end at once.
    #[schema(rename = "expiresAt", example = "2030-04-19T08:15:14.000Z", format = DateTime)]
    expires_at: Option<String>,
}

/// Reads the body. A list of no projects is refused: it could be taken for none as well as for all.
///
/// # Errors
/// [`Failure::BadInput`] with every problem of every member.
pub(crate) fn draft(body: Value) -> Result<TokenRequest, Failure> {
    let mut fields = Fields::of(body)?;
    fields.refuse_empty(
        "projects",
        "projects must name at least one project: leave it out for all, or send [\"*\"].",
    );
    token_body::request(fields)
}

/// A body that changes a token.
#[derive(ToSchema)]
#[schema(as = updateApiTokenSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `expiry` reads it")]
pub(crate) struct UpdateTokenBody {
    /// When the token ends, RFC 3339. A moment in the past makes it end at once.
    #[schema(rename = "expiresAt", example = "2030-04-19T08:15:14.000Z", format = DateTime)]
    expires_at: String,
}

/// Reads the body. An end can be moved, but not taken away.
///
/// # Errors
/// [`Failure::BadInput`] without `expiresAt`, and for what is no moment.
pub(crate) fn expiry(body: Value) -> Result<Timestamp, Failure> {
    let mut fields = Fields::of(body)?;
    fields.need("expiresAt");
    let expires_at = fields.moment("expiresAt");
    fields.finish(expires_at)
}
