//! `/api/admin/roles` and `/api/admin/permissions`: named sets of permissions (contract, "People, roles, places").

use std::sync::Arc;

use latchkey_domain::RoleId;
use latchkey_service::{InstancePermit, ManageRoles};

use crate::{
    api::{Api, operation},
    call::Call,
    error::ApiError,
    error_body::ErrorBody,
    error_responses::{BodyErrors, CallerErrors},
    people::role_body::{
        CreateRoleBody, PermissionsBody, RoleWithPermissionsBody, RolesBody, UpdateRoleBody, change, draft,
    },
    response::{ApiResult, Tagged, created_at, empty, ok, tagged},
};

const COLLECTION: &str = "/api/admin/roles";
const ONE: &str = "/api/admin/roles/{id}";
const PERMISSIONS: &str = "/api/admin/permissions";
/// About what one role takes in JSON, in bytes.
const ROLE_BYTES: usize = 160;

pub(crate) fn configure(api: &mut Api) {
    api.private([operation!(get_roles), operation!(create_role)]);
    api.private([operation!(get_role_by_id), operation!(update_role), operation!(delete_role)]);
    api.private([operation!(get_permissions)]);
}

async fn permit(call: &Call) -> Result<InstancePermit<ManageRoles>, ApiError> {
    Ok(InstancePermit::request(&call.caller().await?)?)
}

/// Get all roles.
///
/// By id. Open to everybody, because owners of projects choose among them.
#[utoipa::path(
    get, path = COLLECTION, operation_id = "getRoles", tag = "Roles",
    responses(
        (status = 200, description = "The roles.", body = RolesBody<'_>),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 403, description = "The credentials are a client or frontend token's.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn get_roles(call: Call) -> ApiResult<Tagged> {
    let caller = call.caller().await?;
    let roles = call.context.use_cases.roles.list(&caller).await?;
    tagged(&RolesBody::of(&roles), ROLE_BYTES * roles.len())
}

/// Create a role.
///
/// Of any permissions but `ADMIN`, which is the role Admin's alone. A role of projects can hold only permissions of
/// projects.
#[utoipa::path(
    post, path = COLLECTION, operation_id = "createRole", tag = "Roles",
    request_body = CreateRoleBody,
    responses(
        (status = 201, description = "The role.", body = RoleWithPermissionsBody<'_>,
            headers(("Location" = String, description = "Where the role is, from here."))),
        (status = 400, description = "The body is at fault; every problem is listed.", body = ErrorBody),
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
        (status = 409, description = "There is a role of this name.", body = ErrorBody),
        CallerErrors,
        BodyErrors,
    )
)]
pub(crate) async fn create_role(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let draft = draft(call.json().await?)?;
    let role = context.use_cases.roles.create(&permit, draft).await?;
    created_at(&format!("roles/{}", role.id), &RoleWithPermissionsBody::of(&role))
}

/// Get a role with its permissions.
#[utoipa::path(
    get, path = ONE, operation_id = "getRoleById", tag = "Roles",
    params(("id" = i64, Path, description = "The id of the role.")),
    responses(
        (status = 200, description = "The role.", body = RoleWithPermissionsBody<'_>),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 400, description = "The id is no number.", body = ErrorBody),
        (status = 403, description = "The credentials are a client or frontend token's.", body = ErrorBody),
        (status = 404, description = "There is no such role.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn get_role_by_id(call: Call) -> ApiResult<Tagged> {
    let caller = call.caller().await?;
    let id = RoleId(call.id_parameter("id")?);
    let role = call.context.use_cases.roles.get(&caller, id).await?;
    tagged(&RoleWithPermissionsBody::of(&role), ROLE_BYTES)
}

/// Update a role.
///
/// Whoever holds it may do at once what it allows now, and no more. What the body leaves out stays as it is. The
/// built-in roles cannot be changed.
#[utoipa::path(
    put, path = ONE, operation_id = "updateRole", tag = "Roles",
    params(("id" = i64, Path, description = "The id of the role.")),
    request_body = UpdateRoleBody,
    responses(
        (status = 200, description = "The role as it is now.", body = RoleWithPermissionsBody<'_>),
        (status = 400, description = "The body is at fault (every problem is listed), or the id is no number.", body = ErrorBody),
        (status = 403, description = "The permission ADMIN is missing, or the role is built in.", body = ErrorBody),
        (status = 404, description = "There is no such role.", body = ErrorBody),
        (status = 409, description = "There is another role of this name.", body = ErrorBody),
        CallerErrors,
        BodyErrors,
    )
)]
pub(crate) async fn update_role(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let id = RoleId(call.id_parameter("id")?);
    let context = Arc::clone(&call.context);
    let change = change(call.json().await?)?;
    let role = context.use_cases.roles.update(&permit, id, &change).await?;
    ok(&RoleWithPermissionsBody::of(&role))
}

/// Delete a role that nobody holds.
#[utoipa::path(
    delete, path = ONE, operation_id = "deleteRole", tag = "Roles",
    params(("id" = i64, Path, description = "The id of the role.")),
    responses(
        (status = 200, description = "The role is gone."),
        (status = 400, description = "Somebody holds the role, or the id is no number.", body = ErrorBody),
        (status = 403, description = "The permission ADMIN is missing, or the role is built in.", body = ErrorBody),
        (status = 404, description = "There is no such role.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn delete_role(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let id = RoleId(call.id_parameter("id")?);
    call.context.use_cases.roles.delete(&permit, id).await?;
    Ok(empty())
}

/// Get all permissions.
///
/// Everything that a role can be made of.
#[utoipa::path(
    get, path = PERMISSIONS, operation_id = "getPermissions", tag = "Roles",
    responses(
        (status = 200, description = "The permissions.", body = PermissionsBody),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 403, description = "The credentials are a client or frontend token's.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn get_permissions(call: Call) -> ApiResult<Tagged> {
    call.caller().await?;
    tagged(&PermissionsBody::all(), 2048)
}
