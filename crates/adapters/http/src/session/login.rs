//! `/auth/simple/login` and `/logout`: a session begins, and ends.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use latchkey_service::SignedIn;

use crate::{
    api::{Api, operation},
    call::Call,
    error_body::ErrorBody,
    error_responses::{BodyErrors, CallerErrors},
    response::{ApiResult, ok, with_cookie},
    session::body::{LoggedInBody, LoginBody, credentials},
    session::cookie::SessionCookies,
};

const LOGIN: &str = "/auth/simple/login";
const LOGOUT: &str = "/logout";

pub(crate) fn configure(api: &mut Api) {
    api.public([operation!(login)]);
    api.private([operation!(get_logout), operation!(logout)]);
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
        (status = 400, description = "The body is at fault; every problem is listed.", body = ErrorBody),
        (status = 401, description = "User name and password do not go together.", body = ErrorBody),
        (status = 403, description = "Another site had a browser ask.", body = ErrorBody),
        BodyErrors,
        (status = 429, description = "Signing in failed too often; nothing was tried.", body = ErrorBody, headers(("Retry-After" = u64, description = "After how many seconds it may be tried again."))),
        (status = 503, description = "The database does not answer.", body = ErrorBody),
    )
)]
pub(crate) async fn login(call: Call) -> ApiResult {
    // Else another site could sign its visitor in as somebody else, and read what the visitor then does.
    call.client().refuse_cross_site()?;
    let (origin, cookies) = (call.client().origin(), SessionCookies::new(call.client()));
    let context = Arc::clone(&call.context);
    let (username, password) = credentials(call.json().await?)?;
    let logged_in = context.use_cases.sessions.log_in(&username, &password, origin).await?;
    with_cookie(ok(&LoggedInBody::of(&logged_in))?, &cookies.of(&logged_in))
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
pub(crate) async fn logout(call: Call) -> ApiResult {
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
pub(crate) async fn get_logout(call: Call) -> ApiResult {
    end_session(&call).await
}

async fn end_session(call: &Call) -> ApiResult {
    let user = SignedIn::request(&call.caller().await?)?;
    call.client().check_site()?;
    call.context.use_cases.sessions.log_out(&user).await?;
    let accept = call.request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let mut answer = HttpResponse::Ok();
    if accept.is_some_and(|types| types.contains("text/html")) {
        answer.status(StatusCode::FOUND).insert_header((header::LOCATION, "/"));
    }
    answer.insert_header((header::CLEAR_SITE_DATA, r#""cookies", "storage""#));
    with_cookie(answer.finish(), &SessionCookies::new(call.client()).expired())
}
