//! `/api/token`: what an API token may do with itself.

use std::sync::Arc;

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use futures_util::future::LocalBoxFuture;
use latchkey_domain::{Principal, TokenSecret};
use latchkey_service::{DeleteOwnToken, OwnTokenAction, OwnTokenPermit, ReadOwnToken, RotateOwnToken};

use super::{
    answer::{self, Shown, answer},
    body::RotateTokenBody,
    token_body::TokenBody,
};
use crate::{
    api::{Api, operations},
    context::Context,
    describe::{Describe, Entry},
    error::ApiError,
    extract::{Body, Client, IdempotencyKey},
    response::{ApiResult, empty, ok},
};

const OWN: &str = "/api/token";

pub(super) fn configure(api: &mut Api) {
    api.tag("API tokens").private(operations![get_own_token, rotate_own_token, delete_own_token]);
}

/// The permit of the token that sends the request. As [`crate::extract::Authorized`], it fails with 401, then with 403.
pub(crate) struct Own<A> {
    permit: OwnTokenPermit<A>,
    principal: Arc<Principal>,
}

impl<A: OwnTokenAction> FromRequest for Own<A> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let context = Context::of(&request)?;
            let client = Client::new(&request, context);
            let principal = client.authenticate().await?;
            let own_token = &context.use_cases.own_token;
            let secret = client.header_secret().ok().and_then(|secret| TokenSecret::parse(secret).ok());
            let permit = own_token.permit(&principal, secret, client.origin())?;
            Ok(Self { permit, principal })
        })
    }
}

impl<A: OwnTokenAction> Describe for Own<A> {
    fn describe(entry: &mut Entry) {
        entry.add_status(401, "The credentials are missing or not valid.");
        entry.add_status(403, "The caller is a user, or `tokens.self_service` does not allow it.");
        entry.add_status(
            503,
            "The database does not answer, or another request changed the token at the same time.",
        );
    }
}

/// Get the token that you send.
///
/// Without its secret, in place of which it has its selector or id. Where `tokens.self_service` is `read`, `rotate` or `all`.
#[utoipa::path(get, path = OWN, responses(
    (status = 200, description = "The token.", body = TokenBody<'_>),
    (status = 404, description = "The token was revoked a moment ago."),
))]
pub(crate) async fn get_own_token(own: Own<ReadOwnToken>, context: Data<Context>) -> ApiResult {
    ok(&TokenBody::of(&context.use_cases.own_token.read(&own.permit).await?))
}

/// Give the token that you send a new secret.
///
/// Its name, scope and id stay the same. The old secret is valid beside the new one until the overlap ends. Where
/// `tokens.self_service` is `rotate` or `all`.
#[utoipa::path(post, path = "/api/token/rotate",
    request_body(content = Option<RotateTokenBody>, content_type = "application/json"), responses(
    (status = 200, description = "The token with its new secret, which `tokens.reveal = \"once\"` never shows again.", body = TokenBody<'_>),
    (status = 400, description = "Or the secret was replaced, or is an alias."),
    (status = 403, description = "Or it is a frontend token."),
    (status = 404, description = "The token was revoked a moment ago."),
))]
pub(crate) async fn rotate_own_token(
    own: Own<RotateOwnToken>,
    body: Body<RotateTokenBody>,
    key: IdempotencyKey,
    context: Data<Context>,
) -> ApiResult {
    let overlap = body.read_optional().await?.overlap()?;
    let answer = answer(&context, (&key, Some(&own.principal)), Shown::Rotated, async |keeper| {
        let own_token = context.use_cases.own_token.keeping(keeper);
        Ok(vec![own_token.rotate(&own.permit, overlap).await?])
    });
    Ok(answer::ok(answer.await?))
}

/// Revoke the token that you send.
///
/// It is refused from the response on. Where `tokens.self_service` is `all`.
#[utoipa::path(delete, path = OWN, responses(
    (status = 200, description = "The token is revoked."),
    (status = 400, description = "The secret was replaced, or is an alias."),
    (status = 403, description = "Or it is a frontend token."),
    (status = 404, description = "The token was revoked a moment ago."),
))]
pub(crate) async fn delete_own_token(own: Own<DeleteOwnToken>, context: Data<Context>) -> ApiResult {
    context.use_cases.own_token.delete(&own.permit).await?;
    Ok(empty())
}
