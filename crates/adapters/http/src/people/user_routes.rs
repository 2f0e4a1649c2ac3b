//! `/api/admin/user-admin`: users and their passwords.

use actix_web::web::Data;
use latchkey_domain::UserId;
use latchkey_service::{Caller, InstancePermit, ManageUsers};

use super::{
    group_body::BaseUsersBody,
    query::{PageQuery, SearchQuery},
    user_body::{
        AdminCountBody, CreateUserBody, CreatedUserBody, PasswordBody, UpdateUserBody, UserBody, UsersBody,
    },
};
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Authorized, Body, PathParameters, Query},
    response::{ApiResult, Tagged, created_at, empty, ok, tagged},
};

const COLLECTION: &str = "/api/admin/user-admin";
const ONE: &str = "/api/admin/user-admin/{id}";
/// About how large one user is in JSON, in bytes.
const USER_BYTES: usize = 448;

pub(super) fn configure(api: &mut Api) {
    api.tag("Users").private(operations![
        get_users,
        create_user,
        validate_user_password,
        search_users,
        get_base_users_and_groups,
        get_admin_count,
        get_user,
        update_user,
        delete_user,
        change_user_password
    ]);
}

/// Get all users and root roles.
///
/// Service accounts are not among the users.
#[utoipa::path(get, path = COLLECTION, responses(
    (status = 200, description = "The users and the root roles, by id.", body = UsersBody<'_>),
))]
async fn get_users(
    Authorized(permit): Authorized<InstancePermit<ManageUsers>>,
    query: Query<PageQuery>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let directory = context.use_cases.users.list(&permit, query.read()?.into()).await?;
    tagged(&UsersBody::of(&directory), USER_BYTES * directory.users.len())
}

/// Create a new user.
///
/// No e-mail is sent. A body with unknown members is refused.
#[utoipa::path(post, path = COLLECTION, responses(
    (status = 201, description = "The user.", body = CreatedUserBody<'_>,
        headers(("Location" = String, description = "The id of the user."))),
    (status = 400, description = "Or the user name or the e-mail address is in use, there is no such role, or the password is weak."),
))]
async fn create_user(
    Authorized(permit): Authorized<InstancePermit<ManageUsers>>,
    body: Body<CreateUserBody>,
    context: Data<Context>,
) -> ApiResult {
    let draft = body.read().await?.into();
    let user = context.use_cases.users.create(&permit, draft).await?;
    created_at(&user.id.to_string(), &CreatedUserBody::of(&user))
}

/// Validate a password.
///
/// Checks whether a user could have the password, and does not store it.
#[utoipa::path(post, path = "/api/admin/user-admin/validate-password", responses(
    (status = 200, description = "The password is strong enough."),
    (status = 400, description = "Or the password is weak; every rule that it breaks is listed."),
))]
async fn validate_user_password(
    Authorized(caller): Authorized<Caller>,
    body: Body<PasswordBody>,
    context: Data<Context>,
) -> ApiResult {
    let PasswordBody { password } = body.read().await?;
    context.use_cases.users.check_password(&caller, &password)?;
    Ok(empty())
}

/// Search users.
///
/// Users and service accounts whose name, user name or e-mail address contains the text; at most 100, by id.
#[utoipa::path(get, path = "/api/admin/user-admin/search", responses(
    (status = 200, description = "The users found.", body = Vec<UserBody<'_>>),
))]
async fn search_users(
    Authorized(caller): Authorized<Caller>,
    query: Query<SearchQuery>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let SearchQuery { q } = query.read()?;
    let found = context.use_cases.users.search(&caller, &q).await?;
    let body: Vec<_> = found.iter().map(UserBody::of).collect();
    tagged(&body, USER_BYTES * body.len())
}

/// Get basic user and group information.
///
/// All users, service accounts and groups, because each can be given a role in a project.
#[utoipa::path(get, path = "/api/admin/user-admin/access", responses(
    (status = 200, description = "The users, service accounts and groups, by id.", body = BaseUsersBody<'_>),
))]
async fn get_base_users_and_groups(
    Authorized(caller): Authorized<Caller>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let users = context.use_cases.users.all_accounts(&caller).await?;
    let groups = context.use_cases.groups.all(&caller).await?;
    tagged(&BaseUsersBody::of(&users, &groups), USER_BYTES * (users.len() + groups.len()))
}

/// Get total count of admin accounts.
///
/// Those with a password, those without one, and service accounts are counted apart. Groups that give the role do not count.
#[utoipa::path(get, path = "/api/admin/user-admin/admin-count", responses(
    (status = 200, description = "How many users have the role Admin.", body = AdminCountBody),
))]
async fn get_admin_count(
    Authorized(permit): Authorized<InstancePermit<ManageUsers>>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let count = context.use_cases.users.admin_count(&permit).await?;
    tagged(&AdminCountBody::from(count), 64)
}

/// Get a user.
///
/// Service accounts are listed elsewhere, and not found here.
#[utoipa::path(get, path = ONE, responses(
    (status = 200, description = "The user.", body = UserBody<'_>),
    (status = 404, description = "There is no such user."),
))]
async fn get_user(
    Authorized(permit): Authorized<InstancePermit<ManageUsers>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let user = context.use_cases.users.get(&permit, UserId(path.id("id")?)).await?;
    tagged(&UserBody::of(&user), USER_BYTES)
}

/// Update a user.
///
/// What the body leaves out stays as it is, and the user name cannot be changed. The last user with the role Admin keeps it.
#[utoipa::path(put, path = ONE, responses(
    (status = 200, description = "The updated user.", body = UserBody<'_>),
    (status = 403, description = "Or no other user has the role Admin."),
    (status = 404, description = "There is no such user."),
))]
async fn update_user(
    Authorized(permit): Authorized<InstancePermit<ManageUsers>>,
    path: PathParameters,
    body: Body<UpdateUserBody>,
    context: Data<Context>,
) -> ApiResult {
    let id = UserId(path.id("id")?);
    let change = body.read().await?.into();
    let user = context.use_cases.users.update(&permit, id, &change).await?;
    ok(&UserBody::of(&user))
}

/// Delete a user.
///
/// With all tokens, sessions and roles. The last user with the role Admin cannot be deleted.
#[utoipa::path(delete, path = ONE, responses(
    (status = 200, description = "The user is deleted."),
    (status = 403, description = "Or no other user has the role Admin."),
    (status = 404, description = "There is no such user."),
))]
async fn delete_user(
    Authorized(permit): Authorized<InstancePermit<ManageUsers>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    context.use_cases.users.delete(&permit, UserId(path.id("id")?)).await?;
    Ok(empty())
}

/// Change password for a user.
///
/// Ends all the user's sessions.
#[utoipa::path(post, path = "/api/admin/user-admin/{id}/change-password", responses(
    (status = 200, description = "The password is changed."),
    (status = 400, description = "Or the password is weak; every rule that it breaks is listed."),
    (status = 404, description = "There is no such user."),
))]
async fn change_user_password(
    Authorized(permit): Authorized<InstancePermit<ManageUsers>>,
    path: PathParameters,
    body: Body<PasswordBody>,
    context: Data<Context>,
) -> ApiResult {
    let id = UserId(path.id("id")?);
    let PasswordBody { password } = body.read().await?;
    context.use_cases.users.set_password(&permit, id, &password).await?;
    Ok(empty())
}
