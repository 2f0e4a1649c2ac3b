//! The bodies of tokens: what comes in to create one, and what goes out.

use std::borrow::Cow;

use latchkey_domain::{ApiToken, EnvironmentName, ProjectId, ProjectScope, TokenId, TokenName};
use latchkey_service::{RevealedToken, TokenPage, TokenRequest};
use serde::{Serialize, Serializer, ser::SerializeSeq};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{failure::Failure, fields::Fields, moments::Moment};

/// About what one token takes in JSON, in bytes.
pub(crate) const TOKEN_BYTES: usize = 448;

/// A body that creates a token in a project (contract, "Create body").
#[derive(ToSchema)]
#[schema(as = createProjectApiTokenSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `draft` reads it, problem by problem")]
pub(crate) struct CreateTokenBody {
    /// The name of the token: 1 to 255 characters, trimmed. Required, unless `username` is sent.
    #[schema(example = "some-user", min_length = 1, max_length = 255)]
    #[schema(rename = "tokenName")]
    token_name: Option<String>,
    /// The old name of `tokenName`. Send one of them.
    #[schema(example = "some-user", min_length = 1, max_length = 255)]
    username: Option<String>,
    /// `client` (or `backend`) or `frontend`, in any case.
    #[schema(example = "client")]
    r#type: String,
    /// The environment that the token works in.
    #[schema(example = "development", default = "development")]
    environment: Option<String>,
    /// The project of the path, and no other; may be left out.
    #[schema(example = "developerexperience")]
    project: Option<String>,
    /// The project of the path, and no other; may be left out.
    #[schema(example = json!(["developerexperience"]))]
    projects: Option<Vec<String>>,
    /// When the token ends, RFC 3339. Absent or null: never. A moment in the past makes it end at once.
    #[schema(rename = "expiresAt")]
    #[schema(example = "2030-04-19T08:15:14.000Z", format = DateTime)]
    expires_at: Option<String>,
}

/// Reads the body.
///
/// # Errors
/// [`Failure::BadInput`] with every problem of every member.
pub(crate) fn draft(body: Value) -> Result<TokenRequest, Failure> {
    request(Fields::of(body)?)
}

/// Reads the other members of a body of which some were read already.
///
/// # Errors
/// [`Failure::BadInput`] with every problem of every member.
pub(crate) fn request(mut fields: Fields) -> Result<TokenRequest, Failure> {
    let kind = fields.required("type", |text| {
        text.parse().map_err(|_| "type must be client (or backend), frontend or admin.".to_owned())
    });
    let name = fields.named("tokenName", "username", TokenName::new);
    let environment = fields.environment();
    let projects = fields.projects();
    let expires_at = fields.moment("expiresAt");
    let draft =
        name.zip(kind).map(|(name, kind)| TokenRequest { name, kind, environment, projects, expires_at });
    fields.finish(draft)
}

/// A token on the wire, its members in the contract's order.
#[derive(Serialize, ToSchema)]
#[schema(as = apiTokenSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenBody<'t> {
    /// The secret that authenticates. Of a show-once token, which cannot be shown again: the token's id.
    #[schema(value_type = String, example = "project:environment.xyzrandomstring")]
    secret: Secret<'t>,
    /// The name of the token.
    #[schema(value_type = String, example = "some-user")]
    token_name: &'t str,
    /// The old name of `tokenName`.
    #[schema(value_type = String, example = "a-name", deprecated)]
    username: &'t str,
    /// What the token is for.
    #[schema(value_type = TokenType, example = "client")]
    r#type: &'static str,
    /// The environment that the token works in; `*` for all.
    #[schema(value_type = String, example = "development")]
    environment: &'t str,
    /// The projects, joined by commas; `*` for all.
    #[schema(value_type = String, example = "developerexperience")]
    project: Joined<'t>,
    /// The projects; `["*"]` for all.
    #[schema(value_type = Vec<String>, example = json!(["developerexperience", "enterprisegrowth"]))]
    projects: Listed<'t>,
    /// When the token ends; null: never.
    #[schema(value_type = Option<String>, format = DateTime, required = true, example = "2023-04-19T08:15:14.000Z")]
    expires_at: Option<Moment>,
    /// When the token was created.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    created_at: Moment,
    /// When the token last authenticated; null: never.
    #[schema(value_type = Option<String>, format = DateTime, required = true, example = "2023-04-19T08:15:14.000Z")]
    #[serde(rename = "seenAt")]
    last_used_at: Option<Moment>,
    /// By what an old proxy token authenticates too; mostly null.
    #[schema(value_type = Option<String>, required = true, example = "randomid-or-some-alias")]
    alias: Option<&'t str>,
    /// True on show-once tokens, and absent on others.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    secure: bool,
}

/// What a token is for.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes the values for the document")]
pub(crate) enum TokenType {
    Client,
    Admin,
    Frontend,
}

/// A list of tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = apiTokensSchema)]
pub(crate) struct TokensBody<'t> {
    /// The tokens, by creation where nothing else was asked for.
    tokens: Vec<TokenBody<'t>>,
    /// What to send as `cursor` for the next page; null: there is none. Sent only where a page was asked for, in the order
    /// by creation: the other orders have no cursors, so go on by `offset` until a page has fewer tokens than `limit`.
    #[serde(rename = "nextCursor", skip_serializing_if = "Next::is_unasked")]
    #[schema(value_type = Option<String>, required = false, example = "0189d5a1-3f2b-7c0e-9d4a-5b6c7d8e9f00")]
    next_cursor: Next,
}

/// Where the next page of a list begins.
enum Next {
    /// No page was asked for, or one in an order that has no cursors.
    Unasked,
    /// This page is the last.
    Nowhere,
    /// After this token.
    After(TokenId),
}

impl Next {
    fn is_unasked(&self) -> bool {
        matches!(self, Self::Unasked)
    }
}

impl Serialize for Next {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unasked | Self::Nowhere => serializer.serialize_none(),
            Self::After(id) => serializer.collect_str(id),
        }
    }
}

impl<'t> TokensBody<'t> {
    /// The tokens, shown to somebody who may see them.
    pub(crate) fn of(tokens: &'t [RevealedToken]) -> Self {
        Self { tokens: tokens.iter().map(TokenBody::of).collect(), next_cursor: Next::Unasked }
    }

    /// A page of tokens, shown to somebody who may see them.
    pub(crate) fn of_page(page: &'t TokenPage) -> Self {
        Self { next_cursor: page.next.map_or(Next::Nowhere, Next::After), ..Self::of(&page.tokens) }
    }
}

impl<'t> TokenBody<'t> {
    /// The token, shown to somebody who may see it: the one place on the wire where secrets are revealed.
    pub(crate) fn of(revealed: &'t RevealedToken) -> Self {
        let RevealedToken { token, secret, alias, secure } = revealed;
        let projects = token.access.projects();
        Self {
            secret: secret.as_ref().map_or(Secret::Hidden(token), |secret| Secret::Shown(secret.reveal())),
            token_name: token.name.as_str(),
            username: token.name.as_str(),
            r#type: token.access.kind().as_str(),
            environment: token.access.environment().map_or("*", EnvironmentName::as_str),
            project: Joined(projects),
            projects: Listed(projects),
            expires_at: token.expires_at.map(Moment),
            created_at: Moment(token.created_at),
            last_used_at: token.last_used_at.map(Moment),
            alias: alias.as_ref().map(latchkey_domain::TokenSecret::reveal),
            secure: *secure,
        }
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
            Self::Hidden(token) => serializer.collect_str(&token.id),
        }
    }
}

fn names(projects: &ProjectScope) -> impl Iterator<Item = &str> {
    let all = matches!(projects, ProjectScope::All).then_some("*");
    all.into_iter().chain(projects.named().iter().map(ProjectId::as_str))
}

/// The projects, joined by commas; `*` for all.
pub(crate) struct Joined<'t>(pub(crate) &'t ProjectScope);

impl Joined<'_> {
    /// Most tokens have one project, and then nothing is joined.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self.0.named() {
            [] => Cow::Borrowed("*"),
            [one] => Cow::Borrowed(one.as_str()),
            several => Cow::Owned(several.iter().map(ProjectId::as_str).collect::<Vec<_>>().join(",")),
        }
    }
}

impl Serialize for Joined<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

/// The projects, as a list; `["*"]` for all.
pub(crate) struct Listed<'t>(pub(crate) &'t ProjectScope);

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.named().len().max(1)))?;
        names(self.0).try_for_each(|name| list.serialize_element(name))?;
        list.end()
    }
}
