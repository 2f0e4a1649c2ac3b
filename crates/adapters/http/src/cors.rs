//! Cross-origin requests of browsers (CORS; the Fetch standard, section 3.2), for the origins that the settings name.
//!
//! Scripts of these origins may send requests with a token in `Authorization` and read the responses. They get no cookies: a session
//! belongs to the pages of Latchkey alone. It is part of the one middleware instead of `actix-cors`, because that would replace the
//! requests and responses of every route, those of gateways too, and its headers would be lost where an error gets its body.

use actix_web::{
    HttpResponse,
    dev::ServiceRequest,
    http::{
        Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
};

/// An entry that stands for every origin.
const ANY: &str = "*";
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
const REQUEST_HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, idempotency-key, if-none-match, x-request-id");
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "etag, idempotency-replayed, location, retry-after, x-latchkey-warning, x-request-id",
);
/// How long a browser remembers what it was allowed, in seconds; none remembers it longer.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// Adds what allows the script of this origin to read the response.
pub(crate) fn allow(headers: &mut HeaderMap, origins: &[String], origin: &HeaderValue) {
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if is_allowed(origins, origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
    }
}

/// Returns the response to a preflight request from an allowed origin; `None` for any other request.
pub(crate) fn preflight(
    request: &ServiceRequest,
    origins: &[String],
    origin: &HeaderValue,
) -> Option<HttpResponse> {
    let asks = |name: HeaderName| request.headers().contains_key(name);
    let is_preflight = *request.method() == Method::OPTIONS && asks(header::ACCESS_CONTROL_REQUEST_METHOD);
    (is_preflight && is_allowed(origins, origin)).then(|| {
        let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        response
    })
}

fn is_allowed(origins: &[String], origin: &HeaderValue) -> bool {
    origins.iter().any(|allowed| allowed == ANY || allowed.as_bytes() == origin.as_bytes())
}
