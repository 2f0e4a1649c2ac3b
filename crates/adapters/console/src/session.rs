//! What begins and ends a session of a browser.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::Cookie,
    http::header::{CLEAR_SITE_DATA, LOCATION},
};
use latchkey_http::{
    Context,
    pages::{ApiError, Client, expired_cookie, session_cookie},
};
use latchkey_service::{LoggedIn, whole_seconds};

use crate::words::Words;

/// Where a user signs in.
pub(crate) const SIGN_IN: &str = path!("sign-in");

/// Returns the response that begins a session and leads to a page.
pub(crate) fn signed_in(client: Client<'_>, logged_in: &LoggedIn, next: &str) -> HttpResponse {
    with_cookie(
        HttpResponse::SeeOther().insert_header((LOCATION, next)).finish(),
        &session_cookie(client, logged_in),
    )
}

/// Returns the response to a browser whose session has ended, by what has been done.
pub(crate) fn signed_out(request: &HttpRequest, context: &Context, done: &str) -> HttpResponse {
    let response = HttpResponse::SeeOther()
        .insert_header((LOCATION, format!("{SIGN_IN}?done={done}")))
        .insert_header((CLEAR_SITE_DATA, r#""cache""#))
        .finish();
    with_cookie(response, &expired_cookie(Client::new(request, context)))
}

/// Says how long to wait before the next try with a password.
pub(crate) fn to_wait(words: &Words, wait: Duration) -> String {
    let seconds = i64::try_from(whole_seconds(wait)).unwrap_or(i64::MAX);
    words.with("sign-in-wait", [("seconds", seconds.into())]).into_owned()
}

fn with_cookie(mut response: HttpResponse, cookie: &Cookie<'_>) -> HttpResponse {
    match response.add_cookie(cookie) {
        Ok(()) => response,
        // A cookie of our own making is always a header.
        Err(error) => HttpResponse::from_error(ApiError::internal(error.to_string())),
    }
}
