//! What a browser is shown when a request for a page fails.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode, header::HeaderName},
};
use askama::Template;
use latchkey_domain::Permission;
use latchkey_http::pages::{ApiError, PageRequest};
use uuid::Uuid;

use crate::{
    frame::{Frame, Navigation, Section},
    page::see_other,
    paths::with_query,
    problem,
    session::SIGN_IN,
    visitor::Browser,
};

/// The header by which htmx says that it asks, and not a navigation.
const BY_HTMX: HeaderName = HeaderName::from_static("hx-request");
/// The header by which htmx says that it navigates, as a link does.
const NAVIGATES: HeaderName = HeaderName::from_static("hx-boosted");
/// The header by which htmx says in which page it asks.
const PAGE: HeaderName = HeaderName::from_static("hx-current-url");
/// The header that makes htmx leave for another page.
const HTMX_LEAVES: HeaderName = HeaderName::from_static("hx-redirect");

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    frame: Frame,
    status: u16,
    title: &'static str,
    message: String,
    permissions: Vec<&'static str>,
    id: Uuid,
}

/// Returns the response: the way to sign in for a browser that is not signed in, else a page that says what is wrong.
pub(crate) fn page(
    kept: &PageRequest,
    request: Option<&HttpRequest>,
    error: &ApiError,
    id: Uuid,
) -> HttpResponse {
    let (status, _) = error.kind();
    if status == StatusCode::UNAUTHORIZED {
        return sign_in(kept);
    }
    let browser = Browser::of(&kept.headers, &kept.target);
    let navigation = request.and_then(Navigation::kept_with);
    let page = FailurePage {
        frame: browser.frame_of(navigation, Section::None),
        status: status.as_u16(),
        title: match status {
            StatusCode::FORBIDDEN => "failure-forbidden",
            StatusCode::NOT_FOUND => "failure-not-found",
            StatusCode::SERVICE_UNAVAILABLE => "failure-unavailable",
            StatusCode::TOO_MANY_REQUESTS => "failure-too-many",
            status if status.is_server_error() => "failure-internal",
            _ => "failure-bad-request",
        },
        message: problem::said(browser.words, error),
        permissions: error.permissions().iter().copied().map(Permission::as_str).collect(),
        id,
    };
    browser.show_with(status, &page).unwrap_or_else(|_| HttpResponse::new(status))
}

/// Returns the way to sign in, and from there back to what was asked for, if that was asked for by GET.
fn sign_in(request: &PageRequest) -> HttpResponse {
    let is_by_htmx = request.headers.contains_key(BY_HTMX);
    let is_part = is_by_htmx && !request.headers.contains_key(NAVIGATES);
    let next = match page_of(request).filter(|_| is_part) {
        // What is asked for is a part of a page, which is no page to come back to.
        Some(page) => page,
        None if request.method == Method::GET => request.target.as_str(),
        None => path!(""),
    };
    let path = with_query(SIGN_IN, [("next", next)]);
    if is_by_htmx {
        return HttpResponse::Ok().insert_header((HTMX_LEAVES, path)).finish();
    }
    see_other(&path)
}

/// Returns the path and the query of the page in which htmx asks.
fn page_of(request: &PageRequest) -> Option<&str> {
    let (_, rest) = request.headers.get(PAGE)?.to_str().ok()?.split_once("://")?;
    rest.find('/').and_then(|start| rest.get(start..))
}
