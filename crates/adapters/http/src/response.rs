//! Builders of successful responses.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    cookie::Cookie,
    http::header::{self, HeaderValue},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::ApiError;

/// The content type of every JSON body.
pub(crate) const JSON: &str = "application/json";

/// The result of a handler.
pub type ApiResult<R = HttpResponse> = Result<R, ApiError>;

/// A JSON body with an entity tag: 200, or 304 for a client that has it already. No shared cache may store it.
pub(crate) struct Tagged {
    text: Vec<u8>,
    caching: Caching,
}

/// What a client may do with a response that has an entity tag.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Caching {
    /// A cache of the client alone may store it, and asks before it uses it.
    Private,
    /// No cache may store it: it holds secrets.
    Never,
}

impl Caching {
    fn directives(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Private => "private, no-cache",
            Self::Never => "no-store",
        })
    }
}

impl Tagged {
    /// Marks the body as one that holds secrets.
    pub(crate) fn with_secrets(self) -> Self {
        Self { caching: Caching::Never, ..self }
    }
}

/// Serializes the body; the capacity is an estimate of its size in bytes.
///
/// # Errors
/// [`ApiError::Refused`] with an internal error if the body cannot be serialized.
pub(crate) fn tagged(body: &impl Serialize, capacity: usize) -> ApiResult<Tagged> {
    let mut text = Vec::with_capacity(capacity);
    serde_json::to_writer(&mut text, body).map_err(ApiError::internal)?;
    Ok(Tagged { text, caching: Caching::Private })
}

impl Responder for Tagged {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut tag = TagBuilder::default();
        tag.update(&self.text);
        tag_response(request, &tag.finish(), self.caching, || BoxBody::new(self.text))
    }
}

/// Returns 200 with a JSON body that has this tag, or 304 for a client that has it already.
pub(crate) fn tag_response(
    request: &HttpRequest,
    tag: &EntityTag,
    caching: Caching,
    body: impl FnOnce() -> BoxBody,
) -> HttpResponse {
    let is_known = is_known(request, &tag.text);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    // Both responses carry the caching rules (RFC 9110, section 15.4.5).
    response
        .insert_header((header::ETAG, tag.text.as_str()))
        .insert_header((header::CACHE_CONTROL, caching.directives()));
    if is_known {
        return response.finish();
    }
    response.insert_header((header::CONTENT_TYPE, JSON)).body(body())
}

/// A weak entity tag (RFC 9110, section 8.8.3): the length of the body, then 128 bits of a digest.
pub(crate) struct EntityTag {
    text: String,
    /// The length of the body in bytes.
    pub(crate) length: u64,
}

/// Computes the tag of a body that is read in parts.
#[derive(Default)]
pub(crate) struct TagBuilder {
    digest: Sha256,
    length: u64,
}

impl TagBuilder {
    /// Adds the next part of the body.
    pub(crate) fn update(&mut self, part: &[u8]) {
        self.digest.update(part);
        self.length += u64::try_from(part.len()).unwrap_or(u64::MAX);
    }

    /// Returns the tag of the parts.
    pub(crate) fn finish(self) -> EntityTag {
        let digest = self.digest.finalize();
        let start = digest.first_chunk().copied().map_or(0, u128::from_be_bytes);
        EntityTag { text: format!("W/\"{:x}-{start:032x}\"", self.length), length: self.length }
    }
}

/// Returns 200 with a JSON body.
///
/// # Errors
/// As [`tagged`].
pub(crate) fn ok(body: &impl Serialize) -> ApiResult {
    let text = serde_json::to_vec(body).map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, JSON)).body(text))
}

/// Returns 200 without a body.
pub(crate) fn empty() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// Returns 200 with a JSON body and a `Location`, for something that was created where Unleash's clients expect 200.
///
/// # Errors
/// As [`tagged`].
pub(crate) fn ok_at(location: &str, body: &impl Serialize) -> ApiResult {
    located(ok(body)?, location)
}

/// Returns 201 with a JSON body and a `Location`, which is the text that Unleash sends there.
///
/// # Errors
/// As [`tagged`].
pub(crate) fn created_at(location: &str, body: &impl Serialize) -> ApiResult {
    located(created(body)?, location)
}

fn located(mut response: HttpResponse, location: &str) -> ApiResult {
    let location = HeaderValue::from_str(location).map_err(ApiError::internal)?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// Returns 201 with a JSON body, for a resource that has no URL of its own.
///
/// # Errors
/// As [`tagged`].
pub(crate) fn created(body: &impl Serialize) -> ApiResult {
    let text = serde_json::to_vec(body).map_err(ApiError::internal)?;
    Ok(HttpResponse::Created().insert_header((header::CONTENT_TYPE, JSON)).body(text))
}

/// Returns the response with a cookie.
///
/// # Errors
/// [`ApiError::Refused`] with an internal error if the cookie cannot be written.
pub(crate) fn with_cookie(mut response: HttpResponse, cookie: &Cookie<'_>) -> ApiResult {
    response.add_cookie(cookie).map_err(ApiError::internal)?;
    Ok(response)
}

/// Compares the tag weakly with `If-None-Match`. A request that bypasses caches never matches (RFC 9111, section 5.2.1.4).
fn is_known(request: &HttpRequest, tag: &str) -> bool {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    if text(header::CACHE_CONTROL).is_some_and(|value| value.contains("no-cache")) {
        return false;
    }
    let opaque = tag.trim_start_matches("W/");
    text(header::IF_NONE_MATCH).is_some_and(|known| {
        known.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == opaque)
    })
}
