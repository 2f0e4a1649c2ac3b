//! Good answers: JSON, with a tag by which a client can ask whether anything changed.

use std::fmt::Write as _;

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::Cookie,
    http::header::{self, HeaderValue},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::failure::Failure;

/// The content type of every JSON body.
pub(crate) const JSON: &str = "application/json";

/// What a handler makes of a request.
pub(crate) type Answer = Result<HttpResponse, Failure>;

/// 200 with the body, or 304 where the client has it already. Bodies may hold secrets, so no shared cache keeps them.
pub(crate) fn tagged(request: &HttpRequest, body: &impl Serialize, capacity: usize) -> Answer {
    let mut text = Vec::with_capacity(capacity);
    serde_json::to_writer(&mut text, body).map_err(Box::from).map_err(internal)?;
    let tag = entity_tag(&text);
    let is_known = is_known(request, &tag);
    let mut answer = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    // Both say how they may be kept (RFC 9110, section 15.4.5).
    answer.insert_header((header::ETAG, tag)).insert_header((header::CACHE_CONTROL, "private, no-cache"));
    if is_known {
        return Ok(answer.finish());
    }
    Ok(answer.insert_header((header::CONTENT_TYPE, JSON)).body(text))
}

/// 200 with the body, which no cache keeps.
pub(crate) fn shown(body: &impl Serialize) -> Answer {
    let text = serde_json::to_vec(body).map_err(Box::from).map_err(internal)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, JSON))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text))
}

/// 200 without a body.
pub(crate) fn done() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// 201 with the body, and where the reference says that it is, which clients know.
pub(crate) fn created(location: &str, body: &impl Serialize) -> Answer {
    let mut answer = created_nowhere(body)?;
    let location = HeaderValue::from_str(location).map_err(|error| internal(Box::new(error)))?;
    answer.headers_mut().insert(header::LOCATION, location);
    Ok(answer)
}

/// 201 with the body, of something that has no place of its own.
pub(crate) fn created_nowhere(body: &impl Serialize) -> Answer {
    let text = serde_json::to_vec(body).map_err(Box::from).map_err(internal)?;
    Ok(HttpResponse::Created()
        .insert_header((header::CONTENT_TYPE, JSON))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text))
}

/// The answer with a cookie for the client to keep.
pub(crate) fn with_cookie(mut answer: HttpResponse, cookie: &Cookie<'_>) -> Answer {
    answer.add_cookie(cookie).map_err(|error| internal(Box::new(error)))?;
    Ok(answer)
}

fn internal(error: Box<dyn std::error::Error + Send + Sync>) -> Failure {
    Failure::Refused(latchkey_service::ServiceError::Internal(error))
}

/// A weak tag (RFC 9110, section 8.8.3): length, then 128 bits of a digest.
fn entity_tag(body: &[u8]) -> String {
    let mut tag = format!("W/\"{:x}-", body.len());
    for byte in Sha256::digest(body).iter().take(16) {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// Weak comparison with what the client has; a request to bypass caches has nothing (RFC 9111, section 5.2.1.4).
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
