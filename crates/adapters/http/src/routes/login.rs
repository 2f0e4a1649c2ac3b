//! `/auth/simple/login` and `/logout`: a session begins, and ends.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::{Method, StatusCode, header},
};
use latchkey_service::SignedIn;
use utoipa::OpenApi;

use super::table::{Path, Table};
use crate::{
    answers::{Answer, shown, with_cookie},
    call::Call,
    error_answers::{BodyErrors, CallerErrors},
    error_body::ErrorBody,
    session_body::{LoggedInBody, LoginBody, credentials},
};

const LOGIN: &str = "/auth/simple/login";
const LOGOUT: &str = "/logout";

/// This module's part of the document.
#[derive(OpenApi)]
#[openapi(paths(login, logout, get_logout), components(schemas(LoginBody, LoggedInBody<'_>)))]
pub(crate) struct Document;

pub(super) fn routes(table: &mut Table) {
    Path::public(LOGIN, "POST").on(Method::POST, login).add(table);
    Path::private(LOGOUT, "GET,HEAD,POST").on(Method::GET, get_logout).on(Method::POST, logout).add(table);
}

/// Sign in.
///
/// The answer sets a cookie, by which the user is known until the session ends. What fails again and again is slowed down,
/// for the user name and for the address that it comes from.
#[utoipa::path(
    post, path = LOGIN, operation_id = "login", tag = "Auth", security(()),
    request_body = LoginBody,
    responses(
        (status = 200, description = "The user.", body = LoggedInBody<'_>, headers(("Set-Cookie" = String, description = "The session: `HttpOnly`, `SameSite=Lax`, and `Secure` behind a trusted proxy that speaks TLS."))),
        (status = 400, description = "The body is at fault; every problem is listed.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "BadDataError", "message": "Request validation failed: your request body or params contain invalid data: password is required.", "details": [{"message": "password is required.", "path": "/body/password"}]})),
        (status = 401, description = "User name and password do not go together.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "PasswordMismatch", "message": "The provided username and password do not match."})),
        (status = 403, description = "Another site had a browser ask.", body = ErrorBody),
        BodyErrors,
        (status = 429, description = "Signing in failed too often; nothing was tried.", body = ErrorBody, headers(("Retry-After" = u64, description = "After how many seconds it may be tried again.")),
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "RateLimitError", "message": "Signing in failed too often. Try again in 2 seconds."})),
        (status = 503, description = "The database does not answer.", body = ErrorBody),
    )
)]
pub(crate) async fn login(call: Call) -> Answer {
    // Else another site could sign its visitor in as somebody else, and read what the visitor then does.
    call.refuse_cross_site()?;
    let (origin, cookies) = (call.origin(), call.session_cookies());
    let context = Arc::clone(&call.context);
    let (username, password) = credentials(call.json().await?)?;
    let logged_in = context.use_cases.sessions.log_in(&username, &password, origin).await?;
    with_cookie(shown(&LoggedInBody::of(&logged_in))?, &cookies.of(&logged_in))
}

/// Sign out.
///
/// Ends the session by whose cookie one is known. Who is known by a personal access token has no session that could end.
#[utoipa::path(
    post, path = LOGOUT, operation_id = "logout", tag = "Auth",
    responses(
        (status = 200, description = "The session has ended. The answer makes a browser forget its cookies."),
        (status = 302, description = "As 200, for a browser, which is sent to `/`."),
        CallerErrors,
        (status = 403, description = "The caller is an API token, and no user; or another site had a browser ask.", body = ErrorBody),
    )
)]
pub(crate) async fn logout(call: Call) -> Answer {
    end_session(&call).await
}

/// Sign out, by a link.
///
/// As `POST`.
#[utoipa::path(
    get, path = LOGOUT, operation_id = "getLogout", tag = "Auth",
    responses(
        (status = 200, description = "The session has ended. The answer makes a browser forget its cookies."),
        (status = 302, description = "As 200, for a browser, which is sent to `/`."),
        CallerErrors,
        (status = 403, description = "The caller is an API token, and no user; or the link was on another site.", body = ErrorBody),
    )
)]
pub(crate) async fn get_logout(call: Call) -> Answer {
    end_session(&call).await
}

async fn end_session(call: &Call) -> Answer {
    let user = SignedIn::request(&call.caller().await?)?;
    call.check_site()?;
    call.context.use_cases.sessions.log_out(&user).await?;
    let accept = call.request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let mut answer = HttpResponse::Ok();
    if accept.is_some_and(|types| types.contains("text/html")) {
        answer.status(StatusCode::FOUND).insert_header((header::LOCATION, "/"));
    }
    answer.insert_header((header::CLEAR_SITE_DATA, r#""cookies", "storage""#));
    with_cookie(answer.finish(), &call.session_cookies().none())
}
