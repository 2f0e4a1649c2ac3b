//! `/api/admin/projects/{projectId}/access` and the roles of its members.

use actix_web::web::Data;
use latchkey_domain::UserId;
use latchkey_service::{Permit, UpdateProject};

use super::access_body::{AddAccessBody, NoGroups, ProjectAccessBody, SetRolesBody};
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Authorized, Body, List, PathParameters},
    response::{ApiResult, Tagged, empty, tagged},
};

const ACCESS: &str = "/api/admin/projects/{projectId}/access";
const ROLES_OF_USER: &str = "/api/admin/projects/{projectId}/users/{userId}/roles";
/// About how large one member is in JSON, in bytes.
const MEMBER_BYTES: usize = 448;

pub(super) fn configure(api: &mut Api) {
    api.tag("Projects").private(operations![
        get_project_access,
        add_access_to_project,
        set_roles_for_user,
        remove_user_access
    ]);
}

/// Get the users of a project, and the roles that they can have.
#[utoipa::path(get, path = ACCESS, responses(
    (status = 200, description = "The members and the roles.", body = ProjectAccessBody<'_>),
))]
pub(crate) async fn get_project_access(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let access = context.use_cases.members.list(&permit).await?;
    tagged(&ProjectAccessBody::of(&access), 1024 + MEMBER_BYTES * access.members.len())
}

/// Add roles to users in a project.
///
/// Each role is added to each user. A caller cannot give a role with a permission that they do not hold themselves.
#[utoipa::path(post, path = ACCESS, responses(
    (status = 200, description = "The users hold the roles."),
    (status = 400, description = "Or there is no such user or role."),
    (status = 403, description = "Or a permission of a role that is given is missing."),
))]
pub(crate) async fn add_access_to_project(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    body: Body<AddAccessBody>,
    context: Data<Context>,
) -> ApiResult {
    let AddAccessBody { users: List(users), roles: List(roles), groups: NoGroups } = body.read().await?;
    context.use_cases.members.add(&permit, users, &roles).await?;
    Ok(empty())
}

/// Set the roles of a user in a project.
///
/// They replace all roles that the user has there.
#[utoipa::path(put, path = ROLES_OF_USER, responses(
    (status = 200, description = "The user holds these roles, and no others, in the project."),
    (status = 400, description = "Or there is no such role."),
    (status = 403, description = "Or a permission of a role that is given is missing."),
    (status = 404, description = "Or there is no such user."),
))]
pub(crate) async fn set_roles_for_user(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    path: PathParameters,
    body: Body<SetRolesBody>,
    context: Data<Context>,
) -> ApiResult {
    let user = UserId(path.id("userId")?);
    let SetRolesBody { roles: List(roles) } = body.read().await?;
    context.use_cases.members.replace(&permit, user, &roles).await?;
    Ok(empty())
}

/// Remove a user from a project.
#[utoipa::path(delete, path = ROLES_OF_USER, responses(
    (status = 200, description = "The user holds no role in the project."),
    (status = 404, description = "Or the user holds no role in it."),
))]
pub(crate) async fn remove_user_access(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    let user = UserId(path.id("userId")?);
    context.use_cases.members.remove(&permit, user).await?;
    Ok(empty())
}
