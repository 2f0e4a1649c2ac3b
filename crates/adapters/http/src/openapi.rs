//! The OpenAPI document, generated from the attributes of the handlers and the types of the bodies.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, SecurityScheme},
};

use crate::{api::Api, error_body::ErrorBody, extract::caller::SESSION_COOKIE};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Latchkey",
        description = "Issues, lists, rotates and revokes API tokens, and decides who may use them. Wire-compatible with Unleash's Admin API."
    ),
    servers((url = "/", description = "The server of this document.")),
    security(("apiKey" = []), ("session" = [])),
    modifiers(&Credentials),
    components(schemas(ErrorBody)),
    tags(
        (name = "Projects", description = "Projects, their tokens, members and environments."),
        (name = "API tokens", description = "Tokens of any scope."),
        (name = "Personal access tokens", description = "The caller's own tokens."),
        (name = "Service accounts", description = "Users that are programs."),
        (name = "Auth", description = "Signing in and out."),
        (name = "Users", description = "People, and who the caller is."),
        (name = "Roles", description = "Named sets of permissions."),
        (name = "Groups", description = "Users who hold roles together."),
        (name = "Environments", description = "Where tokens work."),
        (name = "Verification", description = "Whether tokens are good, and for what."),
        (name = "Leaks", description = "Secrets that have leaked."),
        (name = "Policies", description = "What API tokens must be like."),
        (name = "Webhooks", description = "Where events are sent as they happen."),
        (name = "Usage", description = "How often tokens are used."),
        (name = "Events", description = "The audit trail."),
        (name = "Operational", description = "Signs of life, and numbers for a monitor; no credentials needed."),
    )
)]
struct Document;

/// The ways to authenticate.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let description = "The secret of an admin token (`*:*.…`) or of a personal access token (`user:…`), with or \
                           without `Bearer` before it.";
        let header = ApiKeyValue::with_description("Authorization", description);
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("apiKey", SecurityScheme::ApiKey(ApiKey::Header(header)));
        let description = "The cookie that `POST /auth/simple/login` sets.";
        let cookie = ApiKeyValue::with_description(SESSION_COOKIE, description);
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// Returns the OpenAPI 3.1 document of these operations.
pub(crate) fn document(api: &Api) -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    api.describe(&mut document);
    document
}
