//! The bodies and headers of verification.

use std::borrow::Cow;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use deserr::Deserr;
use ipnet::IpNet;
use latchkey_domain::{EnvironmentName, TokenOwner, VerifiedToken};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    error::ApiError,
    error_body::Detail,
    extract::{Problems, problems::parse, query::members},
    tokens::{ProjectArray, ProjectNames, RateLimitBody, UsesBody},
};

/// The characters that a header cannot carry, and the percent sign, so that the value can be decoded.
const NOT_IN_HEADERS: &AsciiSet = &CONTROLS.add(b'%');

/// The most tokens that one request may name. Unleash Edge names all that it knows at once.
pub(crate) const MAX_TOKENS: usize = 10_000;

/// The tokens to validate.
#[derive(Deserialize, ToSchema)]
#[schema(as = tokenStringListSchema)]
pub(crate) struct ValidateBody<'t> {
    /// Secrets, at most 10,000.
    #[serde(borrow)]
    #[schema(value_type = Vec<String>, example = json!(["default:development.xyz"]), max_items = 10000)]
    pub(crate) tokens: Vec<Cow<'t, str>>,
}

/// The form of an introspection (RFC 7662, section 2.1). Other parameters, such as `token_type_hint`, are ignored.
#[derive(Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = introspectionFormSchema)]
pub(crate) struct IntrospectionForm {
    /// The secret to introspect.
    #[schema(example = "default:development.xyz")]
    pub(crate) token: String,
}

impl IntrospectionForm {
    /// Reads the pairs of a form. A parameter that is repeated is an error (RFC 6749, section 3.2).
    pub(crate) fn read(pairs: Vec<(String, String)>) -> Result<Self, ApiError> {
        if pairs.iter().filter(|(name, _)| name == "token").nth(1).is_some() {
            return Err(ApiError::BadInput(vec![Detail::of_field("token", "token must be sent once.")]));
        }
        Ok(parse(members(pairs.into_iter().filter(|(_, value)| !value.is_empty())), "body")?)
    }
}

/// The valid tokens among those sent.
#[derive(Serialize, ToSchema)]
#[schema(as = validatedEdgeTokensSchema)]
pub(crate) struct ValidatedBody<'t> {
    /// In the order sent.
    pub(crate) tokens: Vec<ValidatedToken<'t>>,
}

/// A valid token.
#[derive(Serialize, ToSchema)]
#[schema(as = edgeTokenSchema)]
pub(crate) struct ValidatedToken<'t> {
    /// The secret, or alias, as it was sent.
    #[schema(value_type = String, example = "default:development.xyz")]
    token: &'t str,
    /// What the token is for.
    #[schema(value_type = String, example = "client")]
    r#type: &'static str,
    /// The projects; `["*"]` for all.
    #[schema(value_type = Vec<String>, example = json!(["default"]))]
    projects: ProjectArray<'t>,
    /// The environment; `*` for all.
    #[schema(value_type = String, example = "development")]
    environment: &'t str,
}

impl<'t> ValidatedToken<'t> {
    pub(crate) fn of(secret: &'t str, token: VerifiedToken<'t>) -> Self {
        Self {
            token: secret,
            r#type: token.access.kind().as_str(),
            projects: ProjectArray(token.access.projects()),
            environment: environment(&token),
        }
    }
}

pub(super) fn environment<'t>(token: &VerifiedToken<'t>) -> &'t str {
    token.access.environment().map_or("*", EnvironmentName::as_str)
}

const NAME: HeaderName = HeaderName::from_static("x-latchkey-token-name");
const TYPE: HeaderName = HeaderName::from_static("x-latchkey-token-type");
const PROJECTS: HeaderName = HeaderName::from_static("x-latchkey-token-projects");
const ENVIRONMENT: HeaderName = HeaderName::from_static("x-latchkey-token-environment");
const ID: HeaderName = HeaderName::from_static("x-latchkey-token-id");
const SCOPES: HeaderName = HeaderName::from_static("x-latchkey-token-scopes");
const OWNER: HeaderName = HeaderName::from_static("x-latchkey-token-owner");

/// Inserts the headers that tell a gateway about a valid token.
pub(crate) fn insert_verified_headers(headers: &mut HeaderMap, token: VerifiedToken<'_>) {
    // Ids, scopes and names of projects and environments are ASCII, and so is percent-encoded text.
    let value = |text: &str| match text {
        "*" => HeaderValue::from_static("*"),
        text => HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("")),
    };
    let encoded = |text: &str| value(&Cow::from(utf8_percent_encode(text, NOT_IN_HEADERS)));
    headers.insert(NAME, encoded(token.name.as_str()));
    headers.insert(TYPE, HeaderValue::from_static(token.access.kind().as_str()));
    headers.insert(PROJECTS, value(&ProjectNames(token.access.projects()).text()));
    headers.insert(ENVIRONMENT, value(environment(&token)));
    headers.insert(ID, value(token.id.as_uuid().hyphenated().encode_lower(&mut Uuid::encode_buffer())));
    if !token.scopes().is_empty() {
        headers.insert(SCOPES, value(&token.scopes().to_string()));
    }
    if let Some(owner) = token.owner() {
        headers.insert(OWNER, encoded(owner.as_str()));
    }
}

/// The scope of a token (RFC 7662, section 2.2). For one that is not valid, only `active` is sent.
#[derive(Serialize, ToSchema)]
#[schema(as = introspectionSchema)]
pub(crate) struct IntrospectionBody<'t> {
    /// Whether the token is valid.
    active: bool,
    #[serde(flatten)]
    #[schema(value_type = IntrospectedToken<'_>)]
    token: Option<IntrospectedToken<'t>>,
}

/// A valid token, as introspection shows it. In the document no member is required, because a token that is not valid has none.
#[derive(Serialize, ToSchema)]
pub(crate) struct IntrospectedToken<'t> {
    /// The name of the token.
    #[schema(required = false, value_type = String, example = "web shop")]
    client_id: &'t str,
    /// How the token is presented (RFC 6749, section 5.1).
    #[schema(required = false, example = "Bearer")]
    token_type: &'static str,
    /// What the token is for.
    #[schema(required = false, value_type = String, example = "client")]
    r#type: &'static str,
    /// The id of the token.
    #[schema(required = false, example = "01981f4e-7a4c-7c3e-8a55-0123456789ab")]
    sub: String,
    /// When it was created, in seconds since 1970.
    #[schema(required = false, example = 1_681_892_114)]
    iat: i64,
    /// When it expires, in seconds since 1970; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    /// The projects; `["*"]` for all.
    #[schema(required = false, value_type = Vec<String>, example = json!(["default"]))]
    projects: ProjectArray<'t>,
    /// The environment; `*` for all.
    #[schema(required = false, value_type = String, example = "development")]
    environment: &'t str,
    /// The scopes, separated by blanks; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "orders:read stock:*")]
    scope: Option<String>,
    /// The networks from which the caller is to accept the token; absent: from everywhere.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<String>, required = false, example = json!(["10.1.0.0/16"]))]
    allowed_networks: &'t [IpNet],
    /// How often the token is accepted in each span of time; absent: any number of times. Introspection counts no use.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = RateLimitBody, required = false)]
    rate_limit: Option<RateLimitBody>,
    /// How often the token is still accepted; absent: any number of times.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = UsesBody, required = false)]
    uses: Option<UsesBody>,
    /// Who is responsible for the token; absent where no one is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "team-checkout@example.com")]
    owner: Option<&'t str>,
    /// What its owners note about the token; absent where there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, required = false, example = json!({ "team": "checkout" }))]
    metadata: Option<&'t Map<String, Value>>,
}

impl<'t> IntrospectionBody<'t> {
    /// Shows a token that is valid, and how many uses it has left.
    pub(crate) fn of(token: Option<VerifiedToken<'t>>, uses_left: Option<u64>) -> Self {
        let limits = token.and_then(|token| token.limits());
        let shown = |token: VerifiedToken<'t>| IntrospectedToken {
            client_id: token.name.as_str(),
            token_type: "Bearer",
            r#type: token.access.kind().as_str(),
            sub: token.id.to_string(),
            iat: token.id.created_at_millis().div_euclid(1_000),
            exp: token.expires_at.map(|end| end.millis().div_euclid(1_000)),
            projects: ProjectArray(token.access.projects()),
            environment: environment(&token),
            scope: Some(token.scopes()).filter(|scopes| !scopes.is_empty()).map(ToString::to_string),
            allowed_networks: token
                .attributes
                .map_or(&[], |attributes| attributes.allowed_networks.as_slice()),
            rate_limit: limits.and_then(|limits| limits.rate).map(RateLimitBody::from),
            uses: limits.and_then(|limits| limits.uses).map(|uses| UsesBody::of(uses, uses_left)),
            owner: token.owner().map(TokenOwner::as_str),
            metadata: token.metadata(),
        };
        Self { active: token.is_some(), token: token.map(shown) }
    }
}
