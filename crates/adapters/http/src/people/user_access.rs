//! `/api/admin/user-admin/{id}/permissions`: what a user may do.

use actix_web::web::Data;
use latchkey_domain::{Permission, PermissionKind, UserId};
use latchkey_service::{InstancePermit, ManageUsers, UserAccess};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    query::PlaceQuery,
    role_body::{PermissionBody, RoleBody},
    user_body::UserBody,
};
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Authorized, PathParameters, Query},
    response::{ApiResult, Tagged, tagged},
};

pub(super) fn configure(api: &mut Api) {
    api.tag("Users").private(operations![get_user_permissions]);
}

/// Get the permissions of a user.
///
/// Every permission, and whether the user holds it for the whole instance or in a project.
#[utoipa::path(get, path = "/api/admin/user-admin/{id}/permissions", responses(
    (status = 200, description = "The permissions.", body = UserPermissionsBody<'_>),
    (status = 404, description = "There is no such user."),
))]
async fn get_user_permissions(
    Authorized(permit): Authorized<InstancePermit<ManageUsers>>,
    path: PathParameters,
    query: Query<PlaceQuery>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let id = UserId(path.id("id")?);
    let PlaceQuery { project } = query.read()?;
    let access = context.use_cases.users.access_of(&permit, id, project).await?;
    tagged(&UserPermissionsBody::of(&access), 4096)
}

/// What a user may do, and by which roles.
#[derive(Serialize, ToSchema)]
#[schema(as = userPermissionsSchema)]
#[serde(rename_all = "camelCase")]
struct UserPermissionsBody<'u> {
    /// All permissions.
    overview: OverviewBody,
    /// The user.
    user: UserBody<'u>,
    /// The role for the whole instance.
    root_role: RoleBody<'u>,
    /// The roles in the project, by id.
    project_roles: Vec<RoleBody<'u>>,
}

/// All permissions, by where they are given.
#[derive(Serialize, ToSchema)]
#[schema(as = userPermissionsOverviewSchema)]
struct OverviewBody {
    /// Those of the whole instance.
    root: Vec<HeldPermissionBody>,
    /// Those of projects.
    project: Vec<HeldPermissionBody>,
    /// Always empty: no permission can be limited to one environment.
    #[schema(value_type = Vec<HeldPermissionBody>)]
    environment: [HeldPermissionBody; 0],
}

/// A permission, and whether the user holds it.
#[derive(Serialize, ToSchema)]
#[schema(as = heldPermissionSchema)]
#[serde(rename_all = "camelCase")]
struct HeldPermissionBody {
    #[serde(flatten)]
    permission: PermissionBody,
    /// Whether the user holds it.
    #[schema(example = true)]
    has_permission: bool,
}

impl<'u> UserPermissionsBody<'u> {
    fn of(access: &'u UserAccess) -> Self {
        let of = |kind: PermissionKind| {
            let those = Permission::ALL.iter().copied().filter(|permission| permission.kind() == kind);
            let held = those.map(|permission| HeldPermissionBody {
                permission: PermissionBody::of(permission),
                has_permission: access.holds(permission),
            });
            held.collect()
        };
        Self {
            overview: OverviewBody {
                root: of(PermissionKind::Root),
                project: of(PermissionKind::Project),
                environment: [],
            },
            user: UserBody::of(&access.user),
            root_role: RoleBody::of(&access.root_role),
            project_roles: access.project_roles.iter().map(RoleBody::of).collect(),
        }
    }
}
