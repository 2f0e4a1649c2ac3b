//! The bodies that show tokens.

use ipnet::IpNet;
use latchkey_domain::{
    ApiToken, EnvironmentName, Term, TokenDescription, TokenKind, TokenOwner, TokenScope, TokenSecret,
};
use latchkey_service::{Message, RevealedToken};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    limit_members::{RateLimitBody, UsesBody},
    projects::{ProjectArray, ProjectNames},
};
use crate::{
    extract::text::{FromText, text_members},
    wire_time::WireTime,
};

/// About how large one token is in JSON, in bytes.
pub(crate) const TOKEN_BYTES: usize = 512;

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
    /// The id of the token, which names it in every path, and is no secret.
    #[schema(value_type = String, example = "01981f4e-7a4c-7c3e-8a55-0123456789ab")]
    id: Uuid,
    /// What the token is for; absent on tokens that are not described.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "Reads the flags of the checkout")]
    description: Option<&'t str>,
    /// Who is responsible for the token; absent where no one is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "team-checkout@example.com")]
    owner: Option<&'t str>,
    /// What its owners note about the token; absent where there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, required = false, example = json!({ "team": "checkout" }))]
    metadata: Option<&'t Map<String, Value>>,
    /// False on a token that was disabled; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false, example = false)]
    enabled: Option<bool>,
    /// What the token may do in the product that it guards; absent where it has no scopes.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<String>, required = false, example = json!(["orders:read"]))]
    scopes: &'t [TokenScope],
    /// The networks from which the token is accepted; absent: from everywhere.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<String>, required = false, example = json!(["10.1.0.0/16"]))]
    allowed_networks: &'t [IpNet],
    /// How often the token is accepted in each span of time; absent: any number of times.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = RateLimitBody, required = false)]
    rate_limit: Option<RateLimitBody>,
    /// How often the token is still accepted; absent: any number of times.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = UsesBody, required = false)]
    uses: Option<UsesBody>,
    /// After how long the secret is to be rotated, each time, as a duration of ISO 8601; absent where it is not to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "P90D")]
    rotate_every: Option<Term>,
    /// When the secret is to be rotated next: `rotateEvery` after the last rotation, or after the creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false, example = "2023-07-18T08:15:14.000Z")]
    rotation_due_at: Option<WireTime>,
    /// Until when the secret before this one is accepted, at the latest; only in the answer to a rotation, and absent if that ended
    /// it at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false, example = "2023-04-20T08:15:14.000Z")]
    previous_secret_expires_at: Option<WireTime>,
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
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
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
        let RevealedToken { token, secret, alias, secure, previous_secret_until, uses_left } = revealed;
        let attributes = &token.attributes;
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
            alias: alias.as_ref().map(TokenSecret::reveal),
            secure: *secure,
            id: token.id.as_uuid(),
            description: attributes.description.as_ref().map(TokenDescription::as_str),
            owner: attributes.owner.as_ref().map(TokenOwner::as_str),
            metadata: attributes.metadata.noted(),
            enabled: Some(attributes.enabled.0).filter(|enabled| !enabled),
            scopes: attributes.scopes.as_slice(),
            allowed_networks: attributes.allowed_networks.as_slice(),
            rate_limit: attributes.rate_limit.map(RateLimitBody::from),
            uses: attributes.uses.map(|uses| UsesBody::of(uses, *uses_left)),
            rotate_every: attributes.rotate_every,
            rotation_due_at: token.rotation_due_at().map(WireTime),
            previous_secret_expires_at: previous_secret_until.map(WireTime),
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
