//! `/.well-known/latchkey-secret-pattern`: the regular expression by which scanners recognize secrets.

use actix_web::{HttpResponse, http::header};
use latchkey_domain::SECRET_PATTERN;

use crate::api::{Api, operations};

/// It is the same for as long as the version is.
const CACHING: &str = "public, max-age=86400";

pub(super) fn configure(api: &mut Api) {
    api.tag("Leaks").public(operations![get_secret_pattern]);
}

/// Get the regular expression of secrets.
///
/// For secret scanners, in the syntax that PCRE, RE2 and Hyperscan have in common. `latchkey scan` checks the checksum of what
/// matches, too.
#[utoipa::path(get, path = "/.well-known/latchkey-secret-pattern", operation_id = "getSecretPattern", security(()), responses(
    (status = 200, description = "The expression, alone.", body = String, content_type = "text/plain"),
))]
async fn get_secret_pattern() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, CACHING))
        .body(SECRET_PATTERN)
}
