//! The OpenAPI document, made from the code: each route's attributes, each body's type.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, SecurityScheme},
};

use crate::{
    failure::ErrorBody,
    routes::{health, project_tokens},
    token_body::{CreateTokenBody, TokenBody, TokenType, TokensBody},
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Latchkey",
        description = "Issues, lists and revokes the API tokens of projects. Wire-compatible with Unleash's Admin API."
    ),
    paths(
        project_tokens::get_project_api_tokens,
        project_tokens::create_project_api_token,
        project_tokens::delete_project_api_token,
        health::health,
        health::ready,
    ),
    components(schemas(ErrorBody, CreateTokenBody, TokenBody<'_>, TokenType, TokensBody<'_>)),
    security(("apiKey" = [])),
    modifiers(&Credentials),
    tags(
        (name = "Projects", description = "The tokens of a project."),
        (name = "Operational", description = "Signs of life; no credentials needed."),
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
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(header));
        document.components.get_or_insert_default().add_security_scheme("apiKey", scheme);
    }
}

/// The OpenAPI 3.1 document of every route.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
