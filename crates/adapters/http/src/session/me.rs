//! `/api/admin/user`: who the caller is, what they may do, their password and their sessions.

use std::sync::Arc;

use latchkey_domain::{SessionId, UserCredential};
use latchkey_ports::Page;
use latchkey_service::{Missing, ServiceError, SignedIn};

use crate::{
    api::{Api, operation},
    call::Call,
    error::ApiError,
    error_body::ErrorBody,
    error_responses::{BodyErrors, CallerErrors},
    response::{ApiResult, empty, ok},
    session::body::{ChangeMyPasswordBody, SessionsBody, password_change},
    session::me_body::{MyselfBody, ProfileBody},
};

const ME: &str = "/api/admin/user";
const PROFILE: &str = "/api/admin/user/profile";
const PASSWORD: &str = "/api/admin/user/change-password";
const SESSIONS: &str = "/api/admin/user/sessions";
const SESSION: &str = "/api/admin/user/sessions/{id}";

pub(crate) fn configure(api: &mut Api) {
    api.private([operation!(get_me)]);
    api.private([operation!(get_profile)]);
    api.private([operation!(change_my_password)]);
    api.private([operation!(get_my_sessions)]);
    api.private([operation!(delete_my_session)]);
}

async fn signed_in(call: &Call) -> Result<SignedIn, ApiError> {
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
        (status = 403, description = "The caller is a client or frontend token.", body = ErrorBody),
        (status = 404, description = "The user was removed a moment ago.", body = ErrorBody),
    )
)]
pub(crate) async fn get_me(call: Call) -> ApiResult {
    let caller = call.caller().await?;
    let myself = call.context.use_cases.who_am_i.myself(&caller).await?;
    ok(&MyselfBody::of(&myself))
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
pub(crate) async fn get_profile(call: Call) -> ApiResult {
    let user = signed_in(&call).await?;
    let use_cases = &call.context.use_cases;
    let root_role = use_cases.who_am_i.root_role(&user).await?;
    let projects = use_cases.projects.list(user.caller(), false, Page::default()).await?;
    ok(&ProfileBody::of(&projects, &root_role))
}

/// Change your password.
///
/// All your sessions end, this one too; your personal access tokens stay.
#[utoipa::path(
    post, path = PASSWORD, operation_id = "changeMyPassword", tag = "Users",
    request_body = ChangeMyPasswordBody,
    responses(
        (status = 200, description = "The password is changed."),
        (status = 400, description = "The body is at fault, the two new passwords differ, or the new one is not good enough; every problem is listed.", body = ErrorBody),
        (status = 401, description = "The old password is another; or no credentials, or none that are good.", body = ErrorBody),
        (status = 403, description = "The caller is an API token, and no user; or another site had a browser ask.", body = ErrorBody),
        (status = 404, description = "The user was removed a moment ago.", body = ErrorBody),
        BodyErrors,
        (status = 429, description = "The old password was wrong too often; nothing was tried.", body = ErrorBody, headers(("Retry-After" = u64, description = "After how many seconds it may be tried again."))),
        (status = 503, description = "The database does not answer, or another request changed the user at the same time.", body = ErrorBody),
    )
)]
pub(crate) async fn change_my_password(call: Call) -> ApiResult {
    let user = signed_in(&call).await?;
    let context = Arc::clone(&call.context);
    let (old, new) = password_change(call.json().await?)?;
    let use_cases = &context.use_cases;
    use_cases.sessions.change_password(&use_cases.users, &user, (&old, &new)).await?;
    Ok(empty())
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
pub(crate) async fn get_my_sessions(call: Call) -> ApiResult {
    let user = signed_in(&call).await?;
    let sessions = call.context.use_cases.sessions.list(&user).await?;
    let current = match user.credential() {
        UserCredential::Session(id) => Some(id),
        UserCredential::PersonalToken(_) => None,
    };
    ok(&SessionsBody::of(&sessions, current))
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
        (status = 404, description = "You have no such session.", body = ErrorBody),
    )
)]
pub(crate) async fn delete_my_session(call: Call) -> ApiResult {
    let user = signed_in(&call).await?;
    let id = SessionId::parse(&call.parameter("id")?).ok_or(ServiceError::NotFound(Missing::Session))?;
    call.context.use_cases.sessions.end(&user, id).await?;
    Ok(empty())
}
