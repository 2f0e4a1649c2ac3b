//! Answers that show new secrets. To a request with an `Idempotency-Key` they are sent again.

use actix_web::{HttpResponse, HttpResponseBuilder, http::header};
use latchkey_domain::Principal;
use latchkey_service::{Answer, AnswerKeeper, RevealedToken, ServiceError};
use serde::Serialize;

use super::{
    list::TokensBody,
    token_body::{TokenBody, TokenType},
};
use crate::{
    context::Context,
    error::ApiError,
    extract::{IdempotencyKey, idempotency::REPLAYED},
    response::JSON,
};

/// How an answer shows the tokens that a request has created or rotated.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shown {
    /// One, with the type as the caller named it.
    Created(TokenType),
    Rotated,
    Several,
}

impl Shown {
    fn body(self, tokens: &[RevealedToken]) -> Result<Vec<u8>, ServiceError> {
        match (self, tokens) {
            (Self::Created(kind), [token]) => text(&TokenBody::created(token, kind)),
            (Self::Rotated, [token]) => text(&TokenBody::of(token)),
            (Self::Several, tokens) => text(&TokensBody::of(tokens)),
            (Self::Created(_) | Self::Rotated, _) => {
                Err(ServiceError::Internal("one token is expected".into()))
            }
        }
    }
}

fn text(body: &impl Serialize) -> Result<Vec<u8>, ServiceError> {
    serde_json::to_vec(body).map_err(|error| ServiceError::Internal(error.into()))
}

/// Carries a request out, unless it has a key under which its answer is kept; returns the answer. To be called when the body has
/// been read.
///
/// # Errors
/// As [`latchkey_service::Idempotency::answer`] and [`IdempotencyKey::of`].
pub(super) async fn answer(
    context: &Context,
    (key, caller): (&IdempotencyKey, Option<&Principal>),
    shown: Shown,
    attempt: impl AsyncFnOnce(Option<AnswerKeeper>) -> Result<Vec<RevealedToken>, ServiceError>,
) -> Result<Answer, ApiError> {
    let request = key.of(caller)?;
    Ok(context.use_cases.idempotency.answer(request, move |tokens| shown.body(tokens), attempt).await?)
}

/// Returns 200 with the answer.
pub(super) fn ok(answer: Answer) -> HttpResponse {
    respond(HttpResponse::Ok(), answer)
}

/// Returns 201 with the answer and the `Location` that Unleash sends.
pub(super) fn created(answer: Answer) -> HttpResponse {
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, "api-tokens"));
    respond(response, answer)
}

fn respond(mut response: HttpResponseBuilder, Answer { body, is_replayed }: Answer) -> HttpResponse {
    response.insert_header((header::CONTENT_TYPE, JSON));
    if is_replayed {
        response.insert_header((REPLAYED, "true"));
    }
    response.body(body)
}
