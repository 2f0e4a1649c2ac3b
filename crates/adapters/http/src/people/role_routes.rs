//! `/api/admin/roles` and `/api/admin/permissions`: named sets of permissions.

use actix_web::web::Data;
use latchkey_domain::RoleId;
use latchkey_service::{Caller, InstancePermit, ManageRoles};

use super::role_body::{
    ChangedRoleBody, CreateRoleBody, PermissionsBody, RoleWithPermissionsBody, RolesBody, UpdateRoleBody,
};
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Authorized, Body, PathParameters},
    response::{ApiResult, Tagged, empty, ok, ok_at, tagged},
};

const COLLECTION: &str = "/api/admin/roles";
const ONE: &str = "/api/admin/roles/{id}";
/// About how large one role is in JSON, in bytes.
const ROLE_BYTES: usize = 160;

pub(super) fn configure(api: &mut Api) {
    api.tag("Roles").private(operations![
        get_roles,
        create_role,
        get_role_by_id,
        update_role,
        delete_role,
        get_permissions
    ]);
}

/// Get all roles.
///
/// By id. Open to every caller, because owners of projects choose among them.
#[utoipa::path(get, path = COLLECTION, responses(
    (status = 200, description = "The roles.", body = RolesBody<'_>),
))]
async fn get_roles(Authorized(caller): Authorized<Caller>, context: Data<Context>) -> ApiResult<Tagged> {
    let roles = context.use_cases.roles.list(&caller).await?;
    tagged(&RolesBody::of(&roles), ROLE_BYTES * roles.len())
}

/// Create a role.
///
/// It can give every permission but `ADMIN`, which only the role Admin gives. A role of projects can give only
/// permissions of projects.
#[utoipa::path(post, path = COLLECTION, responses(
    (status = 200, description = "The role.", body = ChangedRoleBody<'_>,
        headers(("Location" = String, description = "The URL of the role, relative to this one."))),
    (status = 409, description = "There is a role with this name."),
))]
async fn create_role(
    Authorized(permit): Authorized<InstancePermit<ManageRoles>>,
    body: Body<CreateRoleBody>,
    context: Data<Context>,
) -> ApiResult {
    let draft = body.read().await?.into();
    let role = context.use_cases.roles.create(&permit, draft).await?;
    ok_at(&format!("roles/{}", role.id), &ChangedRoleBody::of(&role))
}

/// Get a role with its permissions.
///
/// Of any type, built in or not.
#[utoipa::path(get, path = ONE, responses(
    (status = 200, description = "The role.", body = RoleWithPermissionsBody<'_>),
    (status = 404, description = "There is no such role."),
))]
async fn get_role_by_id(
    Authorized(caller): Authorized<Caller>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let role = context.use_cases.roles.get(&caller, RoleId(path.id("id")?)).await?;
    tagged(&RoleWithPermissionsBody::of(&role), ROLE_BYTES)
}

/// Update a role.
///
/// Users who have it have its new permissions at once, and no others. What the body leaves out stays as it is. The built-in
/// roles cannot be changed.
#[utoipa::path(put, path = ONE, responses(
    (status = 200, description = "The updated role.", body = ChangedRoleBody<'_>),
    (status = 403, description = "Or the role is built in."),
    (status = 404, description = "There is no such role."),
    (status = 409, description = "There is another role with this name."),
))]
async fn update_role(
    Authorized(permit): Authorized<InstancePermit<ManageRoles>>,
    path: PathParameters,
    body: Body<UpdateRoleBody>,
    context: Data<Context>,
) -> ApiResult {
    let id = RoleId(path.id("id")?);
    let change = body.read().await?.into();
    let role = context.use_cases.roles.update(&permit, id, &change).await?;
    ok(&ChangedRoleBody::of(&role))
}

/// Delete a role.
///
/// A role that a user or a group has cannot be deleted.
#[utoipa::path(delete, path = ONE, responses(
    (status = 200, description = "The role is deleted."),
    (status = 400, description = "Or a user or a group has the role."),
    (status = 403, description = "Or the role is built in."),
    (status = 404, description = "There is no such role."),
))]
async fn delete_role(
    Authorized(permit): Authorized<InstancePermit<ManageRoles>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    context.use_cases.roles.delete(&permit, RoleId(path.id("id")?)).await?;
    Ok(empty())
}

/// Get all permissions.
///
/// Those that a role can give. No permission can be limited to one environment, so each environment has none of its own.
#[utoipa::path(get, path = "/api/admin/permissions", responses(
    (status = 200, description = "The permissions.", body = PermissionsBody<'_>),
))]
async fn get_permissions(
    Authorized(caller): Authorized<Caller>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let environments = context.use_cases.environments.list(&caller).await?;
    tagged(&PermissionsBody::of(&environments), 2048)
}
