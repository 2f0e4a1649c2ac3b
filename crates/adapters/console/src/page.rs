//! How a page becomes a response.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{
            CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION, REFERRER_POLICY,
            VARY,
        },
    },
};
use askama::DynTemplate;
use flate2::Compression;
use latchkey_http::pages::{ApiError, ApiResult};

use crate::{assets::compressed, visitor::Browser};

/// What a page may load and do: what this server has, and no inline script, inline style or `eval`.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

impl Browser {
    /// Returns a page.
    pub(crate) fn show(&self, page: &dyn DynTemplate) -> ApiResult {
        self.show_with(StatusCode::OK, page)
    }

    /// Returns a page with a status.
    pub(crate) fn show_with(&self, status: StatusCode, page: &dyn DynTemplate) -> ApiResult {
        let text = page.dyn_render().map_err(ApiError::internal)?;
        let mut response = builder(status);
        if !self.accepts_gzip {
            return Ok(response.body(text));
        }
        // What a page repeats of its query or form is compressed with it, but no page that does this shows a secret.
        let compressed = compressed(text.as_bytes(), Compression::fast());
        Ok(response.insert_header((CONTENT_ENCODING, "gzip")).body(compressed))
    }

    #[expect(clippy::unused_self, reason = "as the other pages are shown")]
    /// Returns a page with a secret: it is not compressed, so that its length tells nothing of the secret.
    pub(crate) fn show_secret(&self, page: &dyn DynTemplate) -> ApiResult {
        let text = page.dyn_render().map_err(ApiError::internal)?;
        Ok(builder(StatusCode::OK).body(text))
    }
}

fn builder(status: StatusCode) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        // Forms need it: without a referrer, some browsers do not say which site they are from.
        .insert_header((REFERRER_POLICY, "same-origin"))
        .insert_header((VARY, "accept-encoding, accept-language, cookie"));
    response
}

/// Sends the browser to another page, by GET.
pub(crate) fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, path)).finish()
}
