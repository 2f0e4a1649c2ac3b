//! `Idempotency-Key`: a request that is sent again is answered as before.

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::Payload,
    http::header::{HeaderName, HeaderValue},
};
use latchkey_domain::Principal;
use latchkey_ports::AnswerKey;
use latchkey_service::KeyedRequest;
use sha2::{Digest as _, Sha256};

use crate::{error::ApiError, error_body::Detail};

/// The header, as the OpenAPI document names it.
pub(crate) const NAME: &str = "Idempotency-Key";
/// The header of an answer that was kept.
pub(crate) const REPLAYED: &str = "Idempotency-Replayed";
/// The longest key, in characters.
pub(crate) const MAX_CHARACTERS: usize = 255;
const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// The digest of a request's body.
struct Fingerprint([u8; 32]);

/// Keeps a digest of the body with a request that has a key.
pub(super) fn keep_fingerprint(request: &HttpRequest, body: &[u8]) {
    if request.headers().contains_key(HEADER) {
        request.extensions_mut().insert(Fingerprint(Sha256::digest(body).into()));
    }
}

/// The key of a request, if it has one.
pub(crate) struct IdempotencyKey {
    request: HttpRequest,
}

impl IdempotencyKey {
    /// Returns what the answer to the request is kept under; `None` for a request without a key. To be called when the body has
    /// been read.
    ///
    /// # Errors
    /// [`ApiError::BadInput`] for a key that is malformed or repeated.
    pub(crate) fn of(&self, principal: Option<&Principal>) -> Result<Option<KeyedRequest>, ApiError> {
        let mut sent = self.request.headers().get_all(HEADER);
        let Some(key) = sent.next() else { return Ok(None) };
        if sent.next().is_some() {
            return Err(bad(format!("{NAME} must be sent once.")));
        }
        let fingerprint = self.request.extensions().get().map(|Fingerprint(digest)| *digest);
        let fingerprint =
            fingerprint.ok_or_else(|| ApiError::internal("the body of a request with a key was not read"))?;
        Ok(Some(KeyedRequest { key: self.answer_key(principal, key)?, fingerprint }))
    }

    /// Returns the digest of who asks for what under which key.
    fn answer_key(&self, principal: Option<&Principal>, key: &HeaderValue) -> Result<AnswerKey, ApiError> {
        let key = key.as_bytes();
        if !((1..=MAX_CHARACTERS).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic)) {
            return Err(bad(format!(
                "{NAME} must be 1 to {MAX_CHARACTERS} visible ASCII characters, without blanks."
            )));
        }
        let caller = match principal {
            Some(Principal::ApiToken { id, .. }) => format!("token {id}"),
            Some(Principal::User { id, .. }) => format!("user {id}"),
            None => String::new(),
        };
        let (method, path) = (self.request.method().as_str(), self.request.uri().path());
        Ok(answer_key([caller.as_bytes(), method.as_bytes(), path.as_bytes(), key]))
    }
}

/// Returns what an answer is kept under, from all that makes its request another one.
#[must_use]
pub fn answer_key<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> AnswerKey {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part);
    }
    AnswerKey(digest.finalize().into())
}

fn bad(message: String) -> ApiError {
    ApiError::BadInput(vec![Detail::of_header(HEADER.as_str(), message)])
}

impl FromRequest for IdempotencyKey {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self { request: request.clone() }))
    }
}
