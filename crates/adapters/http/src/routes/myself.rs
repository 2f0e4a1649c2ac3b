//! `/api/admin/user`: who the caller is, what they may do, their password and their sessions.

use std::sync::Arc;

use actix_web::http::Method;
use latchkey_domain::{SessionId, UserCredential};
use latchkey_ports::Page;
use latchkey_service::{Missing, ServiceError, SignedIn};
use utoipa::OpenApi;

use super::table::{Path, Table};
use crate::{
    answers::{Answer, done, shown},
    call::Call,
    error_answers::{BodyErrors, CallerErrors},
    error_body::ErrorBody,
    failure::Failure,
    myself_body::{MyselfBody, ProfileBody},
    session_body::{ChangeMyPasswordBody, SessionsBody, password_change},
};

const ME: &str = "/api/admin/user";
const PROFILE: &str = "/api/admin/user/profile";
const PASSWORD: &str = "/api/admin/user/change-password";
const SESSIONS: &str = "/api/admin/user/sessions";
const SESSION: &str = "/api/admin/user/sessions/{id}";

/// This module's part of the document.
#[derive(OpenApi)]
#[openapi(
    paths(get_me, get_profile, change_my_password, get_my_sessions, delete_my_session),
    components(schemas(MyselfBody<'_>, ProfileBody<'_>, ChangeMyPasswordBody, SessionsBody<'_>))
)]
pub(crate) struct Document;

pub(super) fn routes(table: &mut Table) {
    Path::private(ME, "GET,HEAD").on(Method::GET, get_me).add(table);
    Path::private(PROFILE, "GET,HEAD").on(Method::GET, get_profile).add(table);
    Path::private(PASSWORD, "POST").on(Method::POST, change_my_password).add(table);
    Path::private(SESSIONS, "GET,HEAD").on(Method::GET, get_my_sessions).add(table);
    Path::private(SESSION, "DELETE").on(Method::DELETE, delete_my_session).add(table);
}

async fn signed_in(call: &Call) -> Result<SignedIn, Failure> {
    Ok(SignedIn::request(&call.caller().await?)?)
}

/// Get who you are.
///
/// And all that you may do.
#[utoipa::path(
    get, path = ME, operation_id = "getMe", tag = "Users",
    responses(
        (status = 200, description = "The user, or the admin token, and the permissions.", body = MyselfBody<'_>),
        CallerErrors,
        (status = 403, description = "The caller is a client or frontend token.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "NoAccessError", "message": "invalid token: expected a different token type for this endpoint"})),
        (status = 404, description = "The user was removed a moment ago.", body = ErrorBody),
    )
)]
pub(crate) async fn get_me(call: Call) -> Answer {
    let caller = call.caller().await?;
    let myself = call.context.use_cases.who_am_i.myself(&caller).await?;
    shown(&MyselfBody::of(&myself))
}

/// Get your profile.
///
/// The projects that you see, and the role that you hold for the whole instance.
#[utoipa::path(
    get, path = PROFILE, operation_id = "getProfile", tag = "Users",
    responses(
        (status = 200, description = "The profile.", body = ProfileBody<'_>),
        CallerErrors,
        (status = 403, description = "The caller is an API token, and no user.", body = ErrorBody),
        (status = 404, description = "The user was removed a moment ago.", body = ErrorBody),
    )
)]
pub(crate) async fn get_profile(call: Call) -> Answer {
    let user = signed_in(&call).await?;
    let use_cases = &call.context.use_cases;
    let root_role = use_cases.who_am_i.root_role(&user).await?;
    let projects = use_cases.projects.list(user.caller(), false, Page::default()).await?;
    shown(&ProfileBody::of(&projects, &root_role))
}

/// Change your password.
///
/// All your sessions end, this one too; your personal access tokens stay.
#[utoipa::path(
    post, path = PASSWORD, operation_id = "changeMyPassword", tag = "Users",
    request_body = ChangeMyPasswordBody,
    responses(
        (status = 200, description = "The password is changed."),
        (status = 400, description = "The body is at fault, the two new passwords differ, or the new one is not good enough; every problem is listed.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "BadDataError", "message": "Request validation failed: your request body or params contain invalid data: The password must be at least 10 characters long.", "details": [{"message": "The password must be at least 10 characters long.", "path": "/body/password"}]})),
        (status = 401, description = "The old password is another; or no credentials, or none that are good.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "PasswordMismatch", "message": "The provided username and password do not match."})),
        (status = 403, description = "The caller is an API token, and no user; or another site had a browser ask.", body = ErrorBody),
        (status = 404, description = "The user was removed a moment ago.", body = ErrorBody),
        BodyErrors,
        (status = 429, description = "The old password was wrong too often; nothing was tried.", body = ErrorBody, headers(("Retry-After" = u64, description = "After how many seconds it may be tried again."))),
        (status = 503, description = "The database does not answer, or somebody else changed the user at the same moment.", body = ErrorBody),
    )
)]
pub(crate) async fn change_my_password(call: Call) -> Answer {
    let user = signed_in(&call).await?;
    let context = Arc::clone(&call.context);
    let (old, new) = password_change(call.json().await?)?;
    let use_cases = &context.use_cases;
    use_cases.sessions.change_password(&use_cases.users, &user, (&old, &new)).await?;
    Ok(done())
}

/// List your sessions.
///
/// Those that have not ended, oldest first.
#[utoipa::path(
    get, path = SESSIONS, operation_id = "getMySessions", tag = "Users",
    responses(
        (status = 200, description = "The sessions.", body = SessionsBody<'_>),
        CallerErrors,
        (status = 403, description = "The caller is an API token, and no user.", body = ErrorBody),
    )
)]
pub(crate) async fn get_my_sessions(call: Call) -> Answer {
    let user = signed_in(&call).await?;
    let sessions = call.context.use_cases.sessions.list(&user).await?;
    let current = match user.credential() {
        UserCredential::Session(id) => Some(id),
        UserCredential::PersonalToken(_) => None,
    };
    shown(&SessionsBody::of(&sessions, current))
}

/// End one of your sessions.
///
/// It is refused from the answer on.
#[utoipa::path(
    delete, path = SESSION, operation_id = "deleteMySession", tag = "Users",
    params(("id" = String, Path, description = "The session's id.")),
    responses(
        (status = 200, description = "The session has ended."),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The caller is an API token, and no user; or another site had a browser ask.", body = ErrorBody),
        (status = 404, description = "You have no such session.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "NotFoundError", "message": "No session found."})),
    )
)]
pub(crate) async fn delete_my_session(call: Call) -> Answer {
    let user = signed_in(&call).await?;
    let id = SessionId::parse(&call.parameter("id")?).ok_or(ServiceError::NotFound(Missing::Session))?;
    call.context.use_cases.sessions.end(&user, id).await?;
    Ok(done())
}
