//! How it is said what a token is good for.

use std::borrow::Cow;

use actix_web::http::header::{HeaderName, HeaderValue};
use latchkey_domain::{EnvironmentName, VerifiedToken};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::token_body::{Joined, Listed};

/// What a header's value cannot carry as it is; the percent sign, so that it can be read back.
const NOT_IN_HEADERS: &AsciiSet = &CONTROLS.add(b'%');

/// The tokens asked about.
#[derive(ToSchema)]
#[schema(as = tokenStringListSchema)]
#[expect(dead_code, reason = "it describes the body for the document; the route reads it in place")]
pub(crate) struct AskedBody {
    /// Secrets, at most 1,000.
    #[schema(example = json!(["default:development.xyz"]), max_items = 1000)]
    tokens: Vec<String>,
}

/// The form of an introspection (RFC 7662, section 2.1).
#[derive(ToSchema)]
#[schema(as = introspectionFormSchema)]
#[expect(dead_code, reason = "it describes the form for the document; the route reads it in place")]
pub(crate) struct IntrospectionForm {
    /// The secret to ask about.
    #[schema(example = "default:development.xyz")]
    token: String,
    /// Passed over.
    token_type_hint: Option<String>,
}

/// The good ones among the tokens asked about.
#[derive(Serialize, ToSchema)]
#[schema(as = validatedEdgeTokensSchema)]
pub(crate) struct ValidatedBody<'t> {
    /// In the order asked.
    pub(crate) tokens: Vec<ValidatedToken<'t>>,
}

/// A good token.
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
    projects: Listed<'t>,
    /// The environment; `*` for all.
    #[schema(value_type = String, example = "development")]
    environment: &'t str,
}

impl<'t> ValidatedToken<'t> {
    pub(crate) fn of(secret: &'t str, token: VerifiedToken<'t>) -> Self {
        Self {
            token: secret,
            r#type: token.access.kind().as_str(),
            projects: Listed(token.access.projects()),
            environment: environment(&token),
        }
    }
}

fn environment<'t>(token: &VerifiedToken<'t>) -> &'t str {
    token.access.environment().map_or("*", EnvironmentName::as_str)
}

const NAME: HeaderName = HeaderName::from_static("x-latchkey-token-name");
const TYPE: HeaderName = HeaderName::from_static("x-latchkey-token-type");
const PROJECTS: HeaderName = HeaderName::from_static("x-latchkey-token-projects");
const ENVIRONMENT: HeaderName = HeaderName::from_static("x-latchkey-token-environment");

/// What a gateway is told about a good token.
pub(crate) fn verified_headers(token: VerifiedToken<'_>) -> [(HeaderName, HeaderValue); 4] {
    let name: Cow<'_, str> = utf8_percent_encode(token.name.as_str(), NOT_IN_HEADERS).into();
    // Names of projects and environments are ASCII, and so is what was percent-encoded.
    let value = |text: &str| match text {
        "*" => HeaderValue::from_static("*"),
        text => HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("")),
    };
    [
        (NAME, value(&name)),
        (TYPE, HeaderValue::from_static(token.access.kind().as_str())),
        (PROJECTS, value(&Joined(token.access.projects()).text())),
        (ENVIRONMENT, value(environment(&token))),
    ]
}

/// What a token is good for (RFC 7662, section 2.2). Of one that is not good, `active` alone is sent.
#[derive(Serialize, ToSchema)]
#[schema(as = introspectionSchema)]
pub(crate) struct IntrospectionBody<'t> {
    /// Whether the token is good.
    active: bool,
    #[serde(flatten)]
    token: Option<IntrospectedToken<'t>>,
}

/// What is said of a good token.
#[derive(Serialize, ToSchema)]
pub(crate) struct IntrospectedToken<'t> {
    /// The name of the token.
    #[schema(value_type = String, example = "web shop")]
    client_id: &'t str,
    /// How the token is presented (RFC 6749, section 5.1).
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// What the token is for.
    #[schema(value_type = String, example = "client")]
    r#type: &'static str,
    /// The id of the token.
    #[schema(example = "01981f4e-7a4c-7c3e-8a55-0123456789ab")]
    sub: String,
    /// When it was created, in seconds since 1970.
    iat: i64,
    /// When it ends, in seconds since 1970; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    /// The projects; `["*"]` for all.
    #[schema(value_type = Vec<String>, example = json!(["default"]))]
    projects: Listed<'t>,
    /// The environment; `*` for all.
    #[schema(value_type = String, example = "development")]
    environment: &'t str,
}

impl<'t> IntrospectionBody<'t> {
    pub(crate) fn of(token: Option<VerifiedToken<'t>>) -> Self {
        let shown = |token: VerifiedToken<'t>| IntrospectedToken {
            client_id: token.name.as_str(),
            token_type: "Bearer",
            r#type: token.access.kind().as_str(),
            sub: token.id.to_string(),
            iat: token.id.created_at_millis().div_euclid(1_000),
            exp: token.expires_at.map(|end| end.millis().div_euclid(1_000)),
            projects: Listed(token.access.projects()),
            environment: environment(&token),
        };
        Self { active: token.is_some(), token: token.map(shown) }
    }
}
