//! The OpenAPI document, made from the code: each route's attributes, each body's type.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, SecurityScheme},
};

use crate::{credentials::SESSION_COOKIE, routes};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Latchkey",
        description = "Issues, lists, rotates and revokes API tokens, and says who may. Wire-compatible with Unleash's Admin API."
    ),
    security(("apiKey" = []), ("session" = [])),
    modifiers(&Credentials),
    tags(
        (name = "Projects", description = "Projects, their tokens, members and environments."),
        (name = "API tokens", description = "Tokens of any scope."),
        (name = "Personal access tokens", description = "The caller's own tokens."),
        (name = "Service accounts", description = "Users that are programs."),
        (name = "Auth", description = "Signing in and out."),
        (name = "Users", description = "People, and who the caller is."),
        (name = "Roles", description = "Named sets of permissions."),
        (name = "Environments", description = "Where tokens work."),
        (name = "Verification", description = "Whether tokens are good, and for what."),
        (name = "Events", description = "The audit trail."),
        (name = "Operational", description = "Signs of life, and numbers for a monitor; no credentials needed."),
    )
)]
struct Document;

/// How to say who one is.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let description = "The secret of an admin token (`*:*.…`) or of a personal access token (`user:…`), with or \
                           without `Bearer` before it.";
        let header = ApiKeyValue::with_description("Authorization", description);
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("apiKey", SecurityScheme::ApiKey(ApiKey::Header(header)));
        let description = "What signing in at `/auth/simple/login` sets.";
        let cookie = ApiKeyValue::with_description(SESSION_COOKIE, description);
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// The OpenAPI 3.1 document of every route.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut whole = Document::openapi();
    for part in routes::documents() {
        whole.merge(part);
    }
    whole
}
