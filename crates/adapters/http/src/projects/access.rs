//! `/api/admin/projects/{projectId}/access` and the roles of its members (contract, "People, roles, places").

use std::sync::Arc;

use latchkey_domain::UserId;
use latchkey_service::{Permit, UpdateProject};

use crate::{
    api::{Api, operation},
    call::Call,
    error::ApiError,
    error_body::ErrorBody,
    error_responses::{BodyErrors, CallerErrors},
    projects::access_body::{AddAccessBody, ProjectAccessBody, SetRolesBody, additions, replacement},
    response::{ApiResult, Tagged, empty, tagged},
};

const ACCESS: &str = "/api/admin/projects/{projectId}/access";
const ROLES_OF_USER: &str = "/api/admin/projects/{projectId}/users/{userId}/roles";
/// About what one member takes in JSON, in bytes.
const MEMBER_BYTES: usize = 448;

pub(crate) fn configure(api: &mut Api) {
    api.private([operation!(get_project_access), operation!(add_access_to_project)]);
    api.private([operation!(set_roles_for_user), operation!(remove_user_access)]);
}

async fn permit(call: &Call) -> Result<Permit<UpdateProject>, ApiError> {
    let caller = call.caller().await?;
    Ok(Permit::request_for(&caller, &call.parameter("projectId")?)?)
}

/// Get users in a project, and the roles that there are for them.
#[utoipa::path(
    get, path = ACCESS, operation_id = "getProjectAccess", tag = "Projects",
    params(("projectId" = String, Path, description = "The id of the project.")),
    responses(
        (status = 200, description = "The members and the roles.", body = ProjectAccessBody<'_>),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 403, description = "The permission UPDATE_PROJECT is missing.", body = ErrorBody),
        (status = 404, description = "There is no such project.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn get_project_access(call: Call) -> ApiResult<Tagged> {
    let permit = permit(&call).await?;
    let access = call.context.use_cases.members.list(&permit).await?;
    let capacity = 1024 + MEMBER_BYTES * access.members.len();
    tagged(&ProjectAccessBody::of(&access), capacity)
}

/// Give users roles in a project.
///
/// Each user gets each role, beside those held. Nobody can give a role that allows what they may not do themselves.
#[utoipa::path(
    post, path = ACCESS, operation_id = "addAccessToProject", tag = "Projects",
    params(("projectId" = String, Path, description = "The id of the project.")),
    request_body = AddAccessBody,
    responses(
        (status = 200, description = "The users hold the roles."),
        (status = 400, description = "The body is at fault (every problem is listed), or names a user or a role that there is not.", body = ErrorBody),
        (status = 403, description = "The permission UPDATE_PROJECT is missing, or one that a role gives.", body = ErrorBody),
        (status = 404, description = "There is no such project.", body = ErrorBody),
        CallerErrors,
        BodyErrors,
    )
)]
pub(crate) async fn add_access_to_project(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let (users, roles) = additions(call.json().await?)?;
    context.use_cases.members.add(&permit, users, &roles).await?;
    Ok(empty())
}

/// Set the roles of a user in a project.
///
/// In place of all that the user holds there.
#[utoipa::path(
    put, path = ROLES_OF_USER, operation_id = "setRolesForUser", tag = "Projects",
    params(
        ("projectId" = String, Path, description = "The id of the project."),
        ("userId" = i64, Path, description = "The id of the user."),
    ),
    request_body = SetRolesBody,
    responses(
        (status = 200, description = "The user holds these roles, and no others, in the project."),
        (status = 400, description = "The body is at fault, names a role that there is not, or the user's id is no number.", body = ErrorBody),
        (status = 403, description = "The permission UPDATE_PROJECT is missing, or one that a role gives.", body = ErrorBody),
        (status = 404, description = "There is no such project, or no such user.", body = ErrorBody),
        CallerErrors,
        BodyErrors,
    )
)]
pub(crate) async fn set_roles_for_user(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let user = UserId(call.id_parameter("userId")?);
    let context = Arc::clone(&call.context);
    let roles = replacement(call.json().await?)?;
    context.use_cases.members.replace(&permit, user, &roles).await?;
    Ok(empty())
}

/// Remove a user from a project.
#[utoipa::path(
    delete, path = ROLES_OF_USER, operation_id = "removeUserAccess", tag = "Projects",
    params(
        ("projectId" = String, Path, description = "The id of the project."),
        ("userId" = i64, Path, description = "The id of the user."),
    ),
    responses(
        (status = 200, description = "The user holds no role in the project."),
        (status = 400, description = "The user's id is no number.", body = ErrorBody),
        (status = 403, description = "The permission UPDATE_PROJECT is missing.", body = ErrorBody),
        (status = 404, description = "There is no such project, or the user holds no role in it.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn remove_user_access(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let user = UserId(call.id_parameter("userId")?);
    call.context.use_cases.members.remove(&permit, user).await?;
    Ok(empty())
}
