//! `/auth/simple/login` and `/logout`: the start and the end of a session, and its cookie.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, Expiration, SameSite, time::OffsetDateTime},
    http::{StatusCode, header},
    web::Data,
};
use deserr::Deserr;
use latchkey_service::{LoggedIn, Message, Rule, SignedIn};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{Api, operations},
    context::Context,
    extract::{
        Authorized, Client, Problems,
        body::RawBody,
        caller::SESSION_COOKIE,
        text::{FromText, text_members},
    },
    memory::Sender,
    people::user_body::UserBody,
    response::{ApiResult, ok, with_cookie},
};

const LOGOUT: &str = "/logout";

pub(super) fn configure(api: &mut Api) {
    api.tag("Auth").public(operations![login]);
    api.tag("Auth").private(operations![get_logout, logout]);
}

/// Log in.
///
/// The response sets a cookie that authenticates the user until the session ends. Repeated failures are slowed down, by
/// user name and by client address.
#[utoipa::path(post, path = "/auth/simple/login", security(()), request_body = LoginBody, responses(
    (status = 200, description = "The user.", body = LoggedInBody<'_>,
        headers(("Set-Cookie" = String, description = "The session: `HttpOnly`, `SameSite=Lax`, and `Secure` if the connection is encrypted, to Latchkey or to a trusted proxy."))),
    (status = 401, description = "The user name and the password do not match."),
    (status = 403, description = "Another site made the browser send the request."),
    (status = 429, description = "Too many logins failed; the password was not checked.",
        headers(("Retry-After" = u64, description = "The number of seconds to wait before the next try."))),
    (status = 503, description = "The database does not answer."),
))]
async fn login(request: HttpRequest, body: RawBody, context: Data<Context>) -> ApiResult {
    let client = Client::new(&request, &context);
    // Another site could otherwise log its visitor in as a user of its own, and read what the visitor then does.
    client.refuse_cross_site()?;
    let LoginBody { username: LoginName(username), password } = body.read_as_sent(Sender::Anyone).await?;
    let logged_in = context.use_cases.sessions.log_in(&username, &password, client.origin()).await?;
    with_cookie(ok(&LoggedInBody::of(&logged_in))?, &session_cookie(client, &logged_in))
}

/// Log out.
///
/// Ends the session whose cookie authenticates the request. A personal access token has no session, so none ends.
#[utoipa::path(post, path = LOGOUT, responses(
    (status = 200, description = "The session has ended. The response makes a browser delete its cookies."),
    (status = 302, description = "As 200, for a browser, which is redirected to `/`."),
))]
async fn logout(
    Authorized(user): Authorized<SignedIn>,
    request: HttpRequest,
    context: Data<Context>,
) -> ApiResult {
    let client = Client::new(&request, &context);
    client.check_site()?;
    context.use_cases.sessions.log_out(&user).await?;
    let mut response = HttpResponse::Ok();
    if client.header(header::ACCEPT).is_some_and(|types| types.contains("text/html")) {
        response.status(StatusCode::FOUND).insert_header((header::LOCATION, "/"));
    }
    response.insert_header((header::CLEAR_SITE_DATA, r#""cookies", "storage""#));
    with_cookie(response.finish(), &expired_cookie(client))
}

/// Log out, by a link.
///
/// As `POST`.
#[utoipa::path(get, path = LOGOUT, responses(
    (status = 200, description = "The session has ended. The response makes a browser delete its cookies."),
    (status = 302, description = "As 200, for a browser, which is redirected to `/`."),
    (status = 403, description = "Or the link was on another site."),
))]
async fn get_logout(user: Authorized<SignedIn>, request: HttpRequest, context: Data<Context>) -> ApiResult {
    logout(user, request, context).await
}

/// Returns the cookie of a session that has just started.
#[must_use]
pub fn session_cookie(client: Client<'_>, logged_in: &LoggedIn) -> Cookie<'static> {
    let end = logged_in.session.expires_at.millis().div_euclid(1_000);
    let expiration = OffsetDateTime::from_unix_timestamp(end).map_or(Expiration::Session, Into::into);
    cookie(client, logged_in.secret.reveal().to_owned(), expiration)
}

/// Returns the cookie that makes a browser delete its session cookie.
#[must_use]
pub fn expired_cookie(client: Client<'_>) -> Cookie<'static> {
    cookie(client, String::new(), OffsetDateTime::UNIX_EPOCH.into())
}

/// Returns a session cookie, for TLS alone if the client's connection is encrypted.
fn cookie(client: Client<'_>, value: String, expiration: Expiration) -> Cookie<'static> {
    Cookie::build(SESSION_COOKIE, value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(client.is_encrypted())
        .expires(expiration)
        .finish()
}

/// Logs a user in. Unknown members are refused.
#[derive(Deserr, ToSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[serde(deny_unknown_fields)]
#[schema(as = loginSchema)]
struct LoginBody {
    /// The user name, or the e-mail address in any case of letters.
    #[schema(value_type = String, example = "hunter")]
    username: LoginName,
    /// The password.
    #[schema(example = "k!5As3HquUrQ", format = Password)]
    password: String,
}

/// A user name or an e-mail address, without NUL: some stores cannot compare text with it.
struct LoginName(pub(super) String);

text_members!(LoginName);

impl FromText for LoginName {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        if text.contains('\0') {
            return Err(Rule::named("nul").says(format!("{name} must not contain NUL.")));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A user who logged in.
#[derive(Serialize, ToSchema)]
#[schema(as = loggedInSchema)]
#[serde(rename_all = "camelCase")]
struct LoggedInBody<'l> {
    #[serde(flatten)]
    user: UserBody<'l>,
    /// How many of the user's oldest sessions ended because the user has the maximum number of sessions.
    #[schema(example = 0)]
    deleted_sessions: u64,
    /// The maximum number of sessions of one user.
    #[schema(example = 5)]
    active_sessions: u32,
}

impl<'l> LoggedInBody<'l> {
    fn of(logged_in: &'l LoggedIn) -> Self {
        Self {
            user: UserBody::of(&logged_in.user),
            deleted_sessions: logged_in.ended_sessions,
            active_sessions: logged_in.max_per_user,
        }
    }
}
