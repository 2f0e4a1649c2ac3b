//! `/api/admin/user`: the caller, their permissions, their password and their sessions.

use actix_web::web::Data;
use latchkey_domain::{SessionId, UserCredential};
use latchkey_ports::Page;
use latchkey_service::{Caller, Missing, ServiceError, SignedIn};

use super::body::{ChangeMyPasswordBody, MyselfBody, ProfileBody, SessionsBody};
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Authorized, Body, PathParameters},
    response::{ApiResult, empty, ok},
};

const ME: &str = "/api/admin/user";
const PROFILE: &str = "/api/admin/user/profile";
const PASSWORD: &str = "/api/admin/user/change-password";
const SESSIONS: &str = "/api/admin/user/sessions";
const SESSION: &str = "/api/admin/user/sessions/{id}";

pub(super) fn configure(api: &mut Api) {
    api.tag("Users").private(operations![
        get_me,
        get_profile,
        change_my_password,
        get_my_sessions,
        delete_my_session
    ]);
}

/// Get the caller.
///
/// With all their permissions.
#[utoipa::path(get, path = ME, responses(
    (status = 200, description = "The user or the admin token, and the permissions.", body = MyselfBody<'_>),
    (status = 404, description = "The user was deleted a moment ago."),
))]
async fn get_me(Authorized(caller): Authorized<Caller>, context: Data<Context>) -> ApiResult {
    ok(&MyselfBody::of(&context.use_cases.who_am_i.myself(&caller).await?))
}

/// Get your profile.
///
/// The projects that you can see, and your role for the whole instance.
#[utoipa::path(get, path = PROFILE, responses(
    (status = 200, description = "The profile.", body = ProfileBody<'_>),
    (status = 404, description = "The user was deleted a moment ago."),
))]
async fn get_profile(Authorized(user): Authorized<SignedIn>, context: Data<Context>) -> ApiResult {
    let root_role = context.use_cases.who_am_i.root_role(&user).await?;
    let projects = context.use_cases.projects.list(user.caller(), false, Page::default()).await?;
    ok(&ProfileBody::of(&projects, &root_role))
}

/// Change your password.
///
/// Ends all your sessions, including this one. Your personal access tokens stay valid.
#[utoipa::path(post, path = PASSWORD, responses(
    (status = 200, description = "The password is changed."),
    (status = 400, description = "Or the two new passwords differ, or the new one is weak."),
    (status = 401, description = "Or the old password is wrong."),
    (status = 404, description = "The user was deleted a moment ago."),
    (status = 429, description = "The old password was wrong too often; it was not checked.",
        headers(("Retry-After" = u64, description = "The number of seconds to wait before the next try."))),
))]
async fn change_my_password(
    Authorized(user): Authorized<SignedIn>,
    body: Body<ChangeMyPasswordBody>,
    context: Data<Context>,
) -> ApiResult {
    let ChangeMyPasswordBody { password, confirm_password: _same, old_password } =
        ChangeMyPasswordBody::read(body).await?;
    let use_cases = &context.use_cases;
    use_cases.sessions.change_password(&use_cases.users, &user, (&old_password, &password)).await?;
    Ok(empty())
}

/// List your sessions.
///
/// Those that have not ended, oldest first.
#[utoipa::path(get, path = SESSIONS, responses(
    (status = 200, description = "The sessions.", body = SessionsBody<'_>),
))]
async fn get_my_sessions(Authorized(user): Authorized<SignedIn>, context: Data<Context>) -> ApiResult {
    let sessions = context.use_cases.sessions.list(&user).await?;
    let current = match user.credential() {
        UserCredential::Session(id) => Some(id),
        UserCredential::PersonalToken(_) => None,
    };
    ok(&SessionsBody::of(&sessions, current))
}

/// End one of your sessions.
///
/// It is refused from the response on.
#[utoipa::path(delete, path = SESSION, params(("id" = String, Path, description = "The session's id.")), responses(
    (status = 200, description = "The session has ended."),
    (status = 404, description = "You have no such session."),
))]
async fn delete_my_session(
    Authorized(user): Authorized<SignedIn>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    let id = SessionId::parse(&path.text("id")?).ok_or(ServiceError::NotFound(Missing::Session))?;
    context.use_cases.sessions.end(&user, id).await?;
    Ok(empty())
}
