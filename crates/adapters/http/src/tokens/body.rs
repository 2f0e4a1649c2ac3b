//! The bodies of tokens: those that create, update and rotate one, and those that show some.

use std::time::Duration;

use deserr::{Deserr, IntoValue, Value, ValuePointerRef as Location};
use latchkey_domain::{
    ApiToken, EnvironmentName, EnvironmentScope, ProjectScope, Timestamp, TokenAttributes, TokenDescription,
    TokenKind, TokenName,
};
use latchkey_service::{Overlap, Patched, RevealedToken, TokenPatch, TokenRequest};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::{
    duration,
    projects::{ProjectArray, ProjectList, ProjectNames},
};
use crate::{
    error::{ApiError, TOKENS},
    error_body::Detail,
    extract::{
        Body, Problems,
        body::{MemberRule, each_entry},
        text::{FromText, text_members},
    },
    wire_time::WireTime,
};

/// About how large one token is in JSON, in bytes.
pub(crate) const TOKEN_BYTES: usize = 448;
/// How long the old secret of a rotated token stays valid by default.
const DEFAULT_OVERLAP: Duration = Duration::from_secs(86_400);

/// Creates a token.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = createApiTokenSchema, rename_all = "camelCase", example = json!({
    "tokenName": "web shop",
    "type": "client",
    "environment": "development",
    "expiresAt": "2099-04-19T08:15:14.000Z",
    "description": "Reads the flags of the checkout",
}))]
pub(crate) struct CreateTokenBody {
    /// The name of the token: 1 to 255 characters, trimmed. Required, unless `username` is sent.
    #[deserr(default, from(TokenName) = Some)]
    #[schema(value_type = Option<String>, example = "web shop", min_length = 1, max_length = 255)]
    token_name: Option<TokenName>,
    /// The old name of `tokenName`. If both are sent, they are the same.
    #[deserr(default, from(TokenName) = Some)]
    #[schema(value_type = Option<String>, example = "web shop", min_length = 1, max_length = 255)]
    username: Option<TokenName>,
    /// `client` (or `backend`), `frontend` or `admin`, in any case. A project's token cannot be `admin`; the instance's only
    /// where `tokens.allow_admin` is on.
    #[deserr(rename = "type")]
    #[schema(value_type = String, rename = "type", example = "client")]
    kind: TokenType,
    /// The environment that the token works in; for an admin token `*`, which may be left out.
    #[deserr(default, from(EnvironmentScope) = Some)]
    #[schema(value_type = Option<String>, example = "development", default = "development")]
    environment: Option<EnvironmentScope>,
    /// The project that the token works in; `*` is every project. A project's token names no other project.
    #[deserr(default, from(ProjectScope) = Some)]
    #[schema(value_type = Option<String>, example = "web-shop")]
    project: Option<ProjectScope>,
    /// The projects that the token works in; with `*` among them, every project. Without `project` and `projects`: the
    /// project of the path, or every project. A project's token names no other project.
    #[deserr(default, from(ProjectList) = Some)]
    #[schema(value_type = Option<Vec<String>>, example = json!(["web-shop", "default"]))]
    projects: Option<ProjectList>,
    /// When the token expires, as in RFC 3339. Absent or null: never. A time in the past makes it expire at once.
    #[deserr(default)]
    #[schema(value_type = Option<String>, format = DateTime, example = "2099-04-19T08:15:14.000Z")]
    expires_at: Option<Timestamp>,
    /// What the token is for: at most 1,000 characters, trimmed, in any number of lines. Absent or null: not described.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "Reads the flags of the checkout", max_length = 1000)]
    description: Option<TokenDescription>,
}

/// Creates several tokens, all or none.
#[derive(Debug, ToSchema)]
#[schema(as = createApiTokensSchema)]
pub(crate) struct CreateTokensBody {
    /// The tokens, each as the body that creates one: 1 to 1,000.
    #[schema(min_items = 1, max_items = 1000)]
    tokens: Vec<CreateTokenBody>,
}

impl CreateTokensBody {
    /// Reads a body that creates tokens of a project, each as [`CreateTokenBody::of_project`].
    pub(crate) async fn of_project(body: Body<Self>) -> Result<Vec<TokenRequest>, ApiError> {
        let Self { tokens } = Self::read(body).await?;
        each_entry(TOKENS, tokens, CreateTokenBody::into_request)
    }

    /// Reads a body that creates tokens of the instance, each as [`CreateTokenBody::of_instance`].
    pub(crate) async fn of_instance(body: Body<Self>) -> Result<Vec<TokenRequest>, ApiError> {
        let Self { tokens } = Self::read(body).await?;
        each_entry(TOKENS, tokens, CreateTokenBody::into_instance_request)
    }

    async fn read(body: Body<Self>) -> Result<Self, ApiError> {
        Ok(Self { tokens: body.read_entries(TOKENS, &CreateTokenBody::RULES).await? })
    }
}

impl CreateTokenBody {
    const RULES: [MemberRule; 2] = [
        MemberRule::Renamed { name: "tokenName", old: "username" },
        MemberRule::Exclusive { name: "projects", other: "project" },
    ];

    /// Reads a body that creates a token of a project, where an empty list of projects counts as absent. Returns the type as
    /// the body names it, too.
    pub(crate) async fn of_project(body: Body<Self>) -> Result<(TokenRequest, TokenType), ApiError> {
        let body = body.read_with(&Self::RULES).await?;
        let kind = body.kind;
        Ok((body.into_request()?, kind))
    }

    /// Reads a body that creates a token of the instance. An empty list of projects is refused: it could mean none, or all.
    /// Returns the type as the body names it, too.
    pub(crate) async fn of_instance(body: Body<Self>) -> Result<(TokenRequest, TokenType), ApiError> {
        let body = body.read_with(&Self::RULES).await?;
        let kind = body.kind;
        Ok((body.into_instance_request()?, kind))
    }

    fn into_instance_request(self) -> Result<TokenRequest, Problems> {
        if self.projects == Some(ProjectList(None)) {
            let message = "projects must name at least one project: leave it out for all, or send [\"*\"].";
            return Err(Detail::of_field("projects", message).into());
        }
        self.into_request()
    }

    fn into_request(self) -> Result<TokenRequest, Problems> {
        let Self { token_name, username, kind, environment, project, projects, expires_at, description } =
            self;
        let name = token_name.or(username);
        let missing = || Detail::of_field("tokenName", "tokenName is required.");
        Ok(TokenRequest {
            name: name.ok_or_else(missing)?,
            kind: kind.into(),
            environment,
            projects: projects.and_then(|ProjectList(scope)| scope).or(project),
            expires_at,
            attributes: TokenAttributes { description, ..TokenAttributes::default() },
        })
    }
}

/// Updates a token. An expiry can be moved, but not removed.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = updateApiTokenSchema, rename_all = "camelCase")]
pub(crate) struct UpdateTokenBody {
    /// When the token expires, as in RFC 3339. A time in the past makes it expire at once.
    #[schema(value_type = String, format = DateTime, example = "2099-04-19T08:15:14.000Z")]
    pub(crate) expires_at: Timestamp,
}

/// Changes a token by a merge patch (RFC 7396): absent members stay as they are, null removes one.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(deny_unknown_fields)]
#[schema(as = patchApiTokenSchema, rename_all = "camelCase")]
pub(crate) struct PatchTokenBody {
    /// When the token expires, as in RFC 3339; null: never. A time in the past makes it expire at once.
    #[deserr(default)]
    #[schema(value_type = Option<String>, format = DateTime, example = "2099-04-19T08:15:14.000Z")]
    expires_at: Patched<Timestamp>,
    /// What the token is for: at most 1,000 characters, trimmed, in any number of lines; null: not described.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "Reads the flags of the checkout", max_length = 1000)]
    description: Patched<TokenDescription>,
}

impl From<PatchTokenBody> for TokenPatch {
    fn from(body: PatchTokenBody) -> Self {
        Self { expires_at: body.expires_at, description: body.description }
    }
}

impl<T: Deserr<Problems>> Deserr<Problems> for Patched<T> {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: Location<'_>,
    ) -> Result<Self, Problems> {
        let value = Option::<T>::deserialize_from_value(value, location)?;
        Ok(value.map_or(Self::Removed, Self::Set))
    }
}

/// Rotates a token. The body may be left out.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = rotateApiTokenSchema, rename_all = "camelCase")]
pub(crate) struct RotateTokenBody {
    /// How long the old secret stays valid beside the new one: a duration of ISO 8601 in whole weeks, or in days, hours,
    /// minutes and seconds, at most a year. `PT0S` makes it invalid at once.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "PT24H", default = "PT24H")]
    overlap: Option<Overlap>,
}

impl RotateTokenBody {
    /// Returns how long the old secret stays valid.
    pub(crate) fn overlap(self) -> Result<Overlap, ApiError> {
        self.overlap.map_or_else(|| Overlap::new(DEFAULT_OVERLAP).map_err(ApiError::internal), Ok)
    }
}

text_members!(Overlap);

impl FromText for Overlap {
    fn from_text(text: &str, name: &str) -> Result<Self, String> {
        let duration = duration::parse(text).ok_or_else(|| {
            format!("{name} must be a duration as in ISO 8601, such as PT24H, P7D or PT0S.")
        })?;
        Self::new(duration).map_err(|error| error.to_string())
    }
}

/// A token. The order of its members is part of the wire contract.
#[derive(Serialize, ToSchema)]
#[schema(as = apiTokenSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenBody<'t> {
    /// The secret that authenticates. Of a show-once token, which cannot be shown again: the token's selector, if its secret is of
    /// the second form of Unleash, or its id.
    #[schema(value_type = String, example = "project:environment.xyzrandomstring")]
    secret: Secret<'t>,
    /// The name of the token.
    #[schema(value_type = String, example = "web shop")]
    token_name: &'t str,
    /// The old name of `tokenName`.
    #[schema(value_type = String, example = "a-name", deprecated)]
    username: &'t str,
    /// What the token is for.
    #[schema(example = "client")]
    r#type: TokenType,
    /// The environment that the token works in; `*` for all.
    #[schema(value_type = String, example = "development")]
    environment: &'t str,
    /// The projects, joined by commas; `*` for all.
    #[schema(value_type = String, example = "web-shop")]
    project: ProjectNames<'t>,
    /// The projects; `["*"]` for all.
    #[schema(value_type = Vec<String>, example = json!(["web-shop", "default"]))]
    projects: ProjectArray<'t>,
    /// When the token expires; null: never.
    #[schema(value_type = Option<String>, format = DateTime, required = true, example = "2023-04-19T08:15:14.000Z")]
    expires_at: Option<WireTime>,
    /// When the token was created.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    created_at: WireTime,
    /// When the token last authenticated; null: never.
    #[schema(value_type = Option<String>, format = DateTime, required = true, example = "2023-04-19T08:15:14.000Z")]
    #[serde(rename = "seenAt")]
    last_used_at: Option<WireTime>,
    /// A second secret by which an old proxy token authenticates; mostly null.
    #[schema(value_type = Option<String>, required = true, example = "randomid-or-some-alias")]
    alias: Option<&'t str>,
    /// Whether the secret cannot be shown again: true on show-once tokens.
    secure: bool,
    /// What the token is for; absent on tokens that are not described.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "Reads the flags of the checkout")]
    description: Option<&'t str>,
}

/// What a token is for.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TokenType {
    Client,
    Admin,
    Frontend,
    /// The name of `client` since Unleash 7. A response has it only where the request had it: the response that creates
    /// the token.
    Backend,
}

text_members!(TokenType);

impl FromText for TokenType {
    fn from_text(text: &str, name: &str) -> Result<Self, String> {
        let kind = TokenKind::from_text(text, name)?;
        Ok(if text.eq_ignore_ascii_case("backend") { Self::Backend } else { kind.into() })
    }
}

impl From<TokenType> for TokenKind {
    fn from(kind: TokenType) -> Self {
        match kind {
            TokenType::Client | TokenType::Backend => Self::Client,
            TokenType::Admin => Self::Admin,
            TokenType::Frontend => Self::Frontend,
        }
    }
}

impl From<TokenKind> for TokenType {
    fn from(kind: TokenKind) -> Self {
        match kind {
            TokenKind::Client => Self::Client,
            TokenKind::Admin => Self::Admin,
            TokenKind::Frontend => Self::Frontend,
        }
    }
}

impl<'t> TokenBody<'t> {
    /// Shows a token to a caller who may read it. Nothing else on the wire reveals the secrets of API tokens.
    pub(crate) fn of(revealed: &'t RevealedToken) -> Self {
        let RevealedToken { token, secret, alias, secure } = revealed;
        let projects = token.access.projects();
        Self {
            secret: secret.as_ref().map_or(Secret::Hidden(token), |secret| Secret::Shown(secret.reveal())),
            token_name: token.name.as_str(),
            username: token.name.as_str(),
            r#type: token.access.kind().into(),
            environment: token.access.environment().map_or("*", EnvironmentName::as_str),
            project: ProjectNames(projects),
            projects: ProjectArray(projects),
            expires_at: token.expires_at.map(WireTime),
            created_at: WireTime(token.created_at),
            last_used_at: token.last_used_at.map(WireTime),
            alias: alias.as_ref().map(latchkey_domain::TokenSecret::reveal),
            secure: *secure,
            description: token.attributes.description.as_ref().map(TokenDescription::as_str),
        }
    }

    /// Shows a token to the caller that created it, with the type as the caller named it: Terraform refuses another one.
    pub(crate) fn created(revealed: &'t RevealedToken, kind: TokenType) -> Self {
        Self { r#type: kind, ..Self::of(revealed) }
    }
}

enum Secret<'t> {
    Shown(&'t str),
    Hidden(&'t ApiToken),
}

impl Serialize for Secret<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Shown(secret) => serializer.serialize_str(secret),
            Self::Hidden(ApiToken { selector: Some(selector), .. }) => {
                serializer.serialize_str(selector.as_str())
            }
            Self::Hidden(token) => serializer.collect_str(&token.id),
        }
    }
}
