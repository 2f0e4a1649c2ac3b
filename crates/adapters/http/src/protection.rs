//! The headers that protect a response: what caches may keep of it, what a page may load, and that its host is
//! asked over TLS alone.
//!
//! They are rules for all responses, not duties of handlers: a handler that says nothing gets the strictest.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};

/// A page loads nothing, runs nothing and is in no frame, unless its handler has another policy for it.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// How long a browser asks this host over TLS alone: a year.
const TLS_ALONE: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds the headers that a response does not have yet.
pub(crate) fn protect(headers: &mut HeaderMap, is_encrypted: bool) {
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    // A response without a body has no type that a browser could guess.
    if let Some(kind) = headers.get(CONTENT_TYPE) {
        let is_page = kind.as_bytes().starts_with(b"text/html");
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if is_page {
            if !headers.contains_key(CONTENT_SECURITY_POLICY) {
                headers.insert(CONTENT_SECURITY_POLICY, PAGE_POLICY);
            }
            if !headers.contains_key(REFERRER_POLICY) {
                headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            }
        }
    }
    if is_encrypted {
        headers.insert(STRICT_TRANSPORT_SECURITY, TLS_ALONE);
    }
}
