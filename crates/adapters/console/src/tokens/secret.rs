//! The one page that shows a secret: after a token was created or rotated.

use actix_web::HttpRequest;
use askama::Template;
use latchkey_domain::{ApiToken, TokenSecret};
use latchkey_http::pages::{ApiError, ApiResult, answer_key};
use latchkey_ports::AnswerKey;
use latchkey_service::{AnswerKeeper, KeyedRequest, RevealedToken, ServiceError, TokenReference};
use serde_json::{Value, json};

use super::{
    reach::Reach,
    snippets::{self, Snippet},
};
use crate::{
    form::Form,
    frame::{Frame, Section},
    visitor::Visitor,
};

/// Why a secret is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    Created,
    Rotated,
}

/// A token whose secret is shown.
pub(super) struct Shown {
    reference: TokenReference,
    secret: String,
    /// Until when the secret before it is good, as in RFC 3339.
    previous_until: Option<String>,
}

#[derive(Template)]
#[template(path = "tokens/secret.html")]
struct SecretPage {
    frame: Frame,
    root: String,
    token: ApiToken,
    occasion: Occasion,
    secret: String,
    previous_until: Option<String>,
    snippets: Vec<Snippet>,
}

/// Carries out what makes a secret. The answer is kept under the key of the form, as with `Idempotency-Key`, so that a form that
/// is sent twice makes one token and shows its secret.
pub(super) async fn answer(
    visitor: &Visitor,
    request: &HttpRequest,
    form: &Form,
    attempt: impl AsyncFnOnce(Option<AnswerKeeper>) -> Result<Vec<RevealedToken>, ServiceError>,
) -> Result<Shown, ApiError> {
    let keyed = keyed(visitor, request, form);
    let answer = visitor.use_cases().idempotency.answer(keyed, written, attempt).await?;
    let read: Value = serde_json::from_slice(&answer.body).map_err(ApiError::internal)?;
    let text = |name: &str| read.get(name).and_then(Value::as_str);
    let reference = text("id").and_then(TokenReference::parse);
    let missing = || ApiError::internal("the answer that was kept has no token");
    Ok(Shown {
        reference: reference.ok_or_else(missing)?,
        secret: text("secret").unwrap_or_default().to_owned(),
        previous_until: text("previousUntil").map(ToOwned::to_owned),
    })
}

/// Writes what is kept of an answer.
fn written(tokens: &[RevealedToken]) -> Result<Vec<u8>, ServiceError> {
    let [token] = tokens else { return Err(ServiceError::Internal("one token is expected".into())) };
    let kept = json!({
        "id": token.token.id.to_string(),
        "secret": token.secret.as_ref().map(TokenSecret::reveal),
        "previousUntil": token.previous_secret_until.map(|until| until.to_string()),
    });
    serde_json::to_vec(&kept).map_err(|error| ServiceError::Internal(error.into()))
}

fn keyed(visitor: &Visitor, request: &HttpRequest, form: &Form) -> Option<KeyedRequest> {
    let key = form.value("_key");
    if key.is_empty() {
        return None;
    }
    let user = visitor.signed_in.user().to_string();
    let of_key: [&[u8]; 4] = [b"console", user.as_bytes(), request.uri().path().as_bytes(), key.as_bytes()];
    let AnswerKey(fingerprint) = answer_key(form.bytes());
    Some(KeyedRequest { key: answer_key(of_key), fingerprint })
}

/// Shows the secret.
pub(super) async fn show(
    visitor: &Visitor,
    reach: &Reach,
    shown: Shown,
    occasion: Occasion,
    server: &str,
) -> ApiResult {
    let token = reach.get(visitor, &shown.reference).await?;
    let page = SecretPage {
        frame: visitor.frame(Section::Tokens),
        root: reach.path(),
        token,
        occasion,
        snippets: snippets::of(&shown.secret, server),
        secret: shown.secret,
        previous_until: shown.previous_until,
    };
    visitor.browser.show_secret(&page)
}
