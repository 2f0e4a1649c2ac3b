//! `/api/admin/user-admin`: users and their passwords (contract, "People, roles, places").

use std::sync::Arc;

use latchkey_domain::UserId;
use latchkey_service::{InstancePermit, ManageUsers};

use crate::{
    api::{Api, operation},
    call::Call,
    error::ApiError,
    error_body::ErrorBody,
    error_responses::{BodyErrors, CallerErrors},
    people::account_body::{
        AdminCountBody, BaseUserBody, CreateUserBody, CreatedUserBody, EverybodyBody, PasswordBody,
        UpdateUserBody, UsersBody, change, draft, password,
    },
    people::user_body::UserBody,
    response::{ApiResult, Tagged, created_at, empty, ok, tagged},
};

const COLLECTION: &str = "/api/admin/user-admin";
const VALIDATE_PASSWORD: &str = "/api/admin/user-admin/validate-password";
const SEARCH: &str = "/api/admin/user-admin/search";
const ACCESS: &str = "/api/admin/user-admin/access";
const ADMIN_COUNT: &str = "/api/admin/user-admin/admin-count";
const ONE: &str = "/api/admin/user-admin/{id}";
const CHANGE_PASSWORD: &str = "/api/admin/user-admin/{id}/change-password";
/// About what one user takes in JSON, in bytes.
const USER_BYTES: usize = 448;

/// The fixed paths go before the one with an id in their place.
pub(crate) fn configure(api: &mut Api) {
    api.private([operation!(get_users), operation!(create_user)]);
    api.private([operation!(validate_user_password)]);
    api.private([operation!(search_users)]);
    api.private([operation!(get_base_users_and_groups)]);
    api.private([operation!(get_admin_count)]);
    api.private([operation!(get_user), operation!(update_user), operation!(delete_user)]);
    api.private([operation!(change_user_password)]);
}

async fn permit(call: &Call) -> Result<InstancePermit<ManageUsers>, ApiError> {
    Ok(InstancePermit::request(&call.caller().await?)?)
}

/// Get all users and root roles.
#[utoipa::path(
    get, path = COLLECTION, operation_id = "getUsers", tag = "Users",
    params(
        ("limit" = Option<u32>, Query, description = "The most users that are answered. Absent: all."),
        ("offset" = Option<u64>, Query, description = "How many users are passed over."),
    ),
    responses(
        (status = 200, description = "The users and the root roles, by id.", body = UsersBody<'_>),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 400, description = "The query is at fault; every problem is listed.", body = ErrorBody),
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn get_users(call: Call) -> ApiResult<Tagged> {
    let permit = permit(&call).await?;
    let mut query = call.query()?;
    let page = query.page();
    query.finish(())?;
    let directory = call.context.use_cases.users.list(&permit, page).await?;
    tagged(&UsersBody::of(&directory), USER_BYTES * directory.users.len())
}

/// Create a new user.
///
/// Nobody is told by e-mail. A member that is not known here is refused.
#[utoipa::path(
    post, path = COLLECTION, operation_id = "createUser", tag = "Users",
    request_body = CreateUserBody,
    responses(
        (status = 201, description = "The user.", body = CreatedUserBody<'_>,
            headers(("Location" = String, description = "The id of the user."))),
        (status = 400, description = "The body is at fault (every problem is listed): user name or e-mail address in use, unknown role, weak password.", body = ErrorBody),
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
        CallerErrors,
        BodyErrors,
    )
)]
pub(crate) async fn create_user(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let draft = draft(call.json().await?)?;
    let user = context.use_cases.users.create(&permit, draft).await?;
    created_at(&user.id.to_string(), &CreatedUserBody::of(&user))
}

/// Validate a password.
///
/// Whether it would be good enough for anybody; nothing is kept of it.
#[utoipa::path(
    post, path = VALIDATE_PASSWORD, operation_id = "validateUserPassword", tag = "Users",
    request_body = PasswordBody,
    responses(
        (status = 200, description = "The password is good enough."),
        (status = 400, description = "It is not; every rule that it breaks is listed.", body = ErrorBody),
        (status = 403, description = "The credentials are a client or frontend token's.", body = ErrorBody),
        CallerErrors,
        BodyErrors,
    )
)]
pub(crate) async fn validate_user_password(call: Call) -> ApiResult {
    let caller = call.caller().await?;
    let context = Arc::clone(&call.context);
    let password = password(call.json().await?)?;
    context.use_cases.users.check_password(&caller, &password)?;
    Ok(empty())
}

/// Search users.
///
/// Users and service accounts whose name, user name or e-mail address contains the text; at most 100, by id.
#[utoipa::path(
    get, path = SEARCH, operation_id = "searchUsers", tag = "Users",
    params(("q" = Option<String>, Query, description = "The text; with fewer than two characters, nobody is found.")),
    responses(
        (status = 200, description = "The users found.", body = Vec<BaseUserBody<'_>>),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 400, description = "The query cannot be read.", body = ErrorBody),
        (status = 403, description = "The credentials are a client or frontend token's.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn search_users(call: Call) -> ApiResult<Tagged> {
    let caller = call.caller().await?;
    let text = call.query()?.text("q").unwrap_or_default();
    let found = call.context.use_cases.users.search(&caller, &text).await?;
    let body: Vec<_> = found.iter().map(BaseUserBody::of).collect();
    tagged(&body, USER_BYTES * body.len())
}

/// Get basic user and group information.
///
/// Everybody who can be given a role in a project.
#[utoipa::path(
    get, path = ACCESS, operation_id = "getBaseUsersAndGroups", tag = "Users",
    responses(
        (status = 200, description = "The users and service accounts, by id.", body = EverybodyBody<'_>),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 403, description = "The credentials are a client or frontend token's.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn get_base_users_and_groups(call: Call) -> ApiResult<Tagged> {
    let caller = call.caller().await?;
    let everybody = call.context.use_cases.users.all_accounts(&caller).await?;
    tagged(&EverybodyBody::of(&everybody), USER_BYTES * everybody.len())
}

/// Get total count of admin accounts.
#[utoipa::path(
    get, path = ADMIN_COUNT, operation_id = "getAdminCount", tag = "Users",
    responses(
        (status = 200, description = "How many hold the role Admin.", body = AdminCountBody),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn get_admin_count(call: Call) -> ApiResult<Tagged> {
    let permit = permit(&call).await?;
    let count = call.context.use_cases.users.admin_count(&permit).await?;
    tagged(&AdminCountBody::of(count), 64)
}

/// Get a user.
#[utoipa::path(
    get, path = ONE, operation_id = "getUser", tag = "Users",
    params(("id" = i64, Path, description = "The id of the user.")),
    responses(
        (status = 200, description = "The user.", body = UserBody<'_>),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 400, description = "The id is no number.", body = ErrorBody),
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
        (status = 404, description = "There is no such user.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn get_user(call: Call) -> ApiResult<Tagged> {
    let permit = permit(&call).await?;
    let id = UserId(call.id_parameter("id")?);
    let user = call.context.use_cases.users.get(&permit, id).await?;
    tagged(&UserBody::of(&user), USER_BYTES)
}

/// Update a user.
///
/// What the body leaves out stays as it is; so does the user name. The last Admin stays one.
#[utoipa::path(
    put, path = ONE, operation_id = "updateUser", tag = "Users",
    params(("id" = i64, Path, description = "The id of the user.")),
    request_body = UpdateUserBody,
    responses(
        (status = 200, description = "The user as they are now.", body = UserBody<'_>),
        (status = 400, description = "The body is at fault (every problem is listed), or the id is no number.", body = ErrorBody),
        (status = 403, description = "The permission ADMIN is missing, or nobody would be left with the role Admin.", body = ErrorBody),
        (status = 404, description = "There is no such user.", body = ErrorBody),
        CallerErrors,
        BodyErrors,
    )
)]
pub(crate) async fn update_user(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let id = UserId(call.id_parameter("id")?);
    let context = Arc::clone(&call.context);
    let change = change(call.json().await?)?;
    let user = context.use_cases.users.update(&permit, id, &change).await?;
    ok(&UserBody::of(&user))
}

/// Delete a user.
///
/// With all tokens, sessions and roles. The last Admin stays.
#[utoipa::path(
    delete, path = ONE, operation_id = "deleteUser", tag = "Users",
    params(("id" = i64, Path, description = "The id of the user.")),
    responses(
        (status = 200, description = "The user is gone."),
        (status = 400, description = "The id is no number.", body = ErrorBody),
        (status = 403, description = "The permission ADMIN is missing, or nobody would be left with the role Admin.", body = ErrorBody),
        (status = 404, description = "There is no such user.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn delete_user(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let id = UserId(call.id_parameter("id")?);
    call.context.use_cases.users.delete(&permit, id).await?;
    Ok(empty())
}

/// Change password for a user.
///
/// Ends all the user's sessions.
#[utoipa::path(
    post, path = CHANGE_PASSWORD, operation_id = "changeUserPassword", tag = "Users",
    params(("id" = i64, Path, description = "The id of the user.")),
    request_body = PasswordBody,
    responses(
        (status = 200, description = "The user has the password."),
        (status = 400, description = "It is not good enough (every rule that it breaks is listed), or the id is no number.", body = ErrorBody),
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
        (status = 404, description = "There is no such user.", body = ErrorBody),
        CallerErrors,
        BodyErrors,
    )
)]
pub(crate) async fn change_user_password(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let id = UserId(call.id_parameter("id")?);
    let context = Arc::clone(&call.context);
    let password = password(call.json().await?)?;
    context.use_cases.users.set_password(&permit, id, &password).await?;
    Ok(empty())
}
