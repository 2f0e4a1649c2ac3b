//! `/api/admin/groups`: users who hold roles together.

use actix_web::web::Data;
use latchkey_domain::GroupId;
use latchkey_ports::GroupOverview;
use latchkey_service::{InstancePermit, ManageGroups};

use super::group_body::{GroupBody, GroupDraftBody, GroupsBody};
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Authorized, Body, PathParameters},
    response::{ApiResult, Tagged, created_at, empty, ok, tagged},
};

const COLLECTION: &str = "/api/admin/groups";
const ONE: &str = "/api/admin/groups/{groupId}";
/// About how large one group is in JSON without its members, in bytes.
const GROUP_BYTES: usize = 256;
/// About how large one member of a group is in JSON, in bytes.
const MEMBER_BYTES: usize = 320;

pub(super) fn configure(api: &mut Api) {
    api.tag("Groups").private(operations![get_groups, create_group, get_group, update_group, delete_group]);
}

/// Returns about how large the groups are in JSON, in bytes.
pub(crate) fn estimated_size<'g>(groups: impl IntoIterator<Item = &'g GroupOverview>) -> usize {
    groups.into_iter().map(|group| GROUP_BYTES + MEMBER_BYTES * group.users.len()).sum()
}

/// Get all groups.
///
/// Each with the projects in which it has a role; which role that is, the access of the project says.
#[utoipa::path(get, path = COLLECTION, responses(
    (status = 200, description = "The groups with their members, by id.", body = GroupsBody<'_>),
))]
async fn get_groups(
    Authorized(permit): Authorized<InstancePermit<ManageGroups>>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let groups = context.use_cases.groups.list(&permit).await?;
    tagged(&GroupsBody::of(&groups), estimated_size(&groups))
}

/// Create a group.
///
/// Its root role, and the roles that it is given in projects, count for each member besides the member's own.
#[utoipa::path(post, path = COLLECTION, responses(
    (status = 201, description = "The group.", body = GroupBody<'_>,
        headers(("Location" = String, description = "The URL of the group, relative to this one."))),
    (status = 400, description = "Or there is no such role or user."),
    (status = 409, description = "There is a group with this name."),
))]
async fn create_group(
    Authorized(permit): Authorized<InstancePermit<ManageGroups>>,
    body: Body<GroupDraftBody>,
    context: Data<Context>,
) -> ApiResult {
    let draft = body.read().await?.into();
    let created = context.use_cases.groups.create(&permit, &draft).await?;
    created_at(&format!("groups/{}", created.group.id), &GroupBody::of(&created))
}

/// Get a group with its members.
///
/// With the projects in which it has a role; which role that is, the access of the project says.
#[utoipa::path(get, path = ONE, responses(
    (status = 200, description = "The group.", body = GroupBody<'_>),
    (status = 404, description = "There is no such group."),
))]
async fn get_group(
    Authorized(permit): Authorized<InstancePermit<ManageGroups>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let found = context.use_cases.groups.get(&permit, GroupId(path.id("groupId")?)).await?;
    tagged(&GroupBody::of(&found), estimated_size([&found]))
}

/// Update a group.
///
/// The body replaces the group as a whole: what it leaves out is removed, members too. The roles in projects stay. Rights
/// change at once for members who come and for those who go.
#[utoipa::path(put, path = ONE, responses(
    (status = 200, description = "The updated group.", body = GroupBody<'_>),
    (status = 400, description = "Or there is no such role or user."),
    (status = 404, description = "There is no such group."),
    (status = 409, description = "There is another group with this name."),
))]
async fn update_group(
    Authorized(permit): Authorized<InstancePermit<ManageGroups>>,
    path: PathParameters,
    body: Body<GroupDraftBody>,
    context: Data<Context>,
) -> ApiResult {
    let id = GroupId(path.id("groupId")?);
    let draft = body.read().await?.into();
    let updated = context.use_cases.groups.replace(&permit, id, &draft).await?;
    ok(&GroupBody::of(&updated))
}

/// Delete a group.
///
/// Its members stay users, with their own roles.
#[utoipa::path(delete, path = ONE, responses(
    (status = 200, description = "The group is deleted."),
    (status = 404, description = "There is no such group."),
))]
async fn delete_group(
    Authorized(permit): Authorized<InstancePermit<ManageGroups>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    context.use_cases.groups.delete(&permit, GroupId(path.id("groupId")?)).await?;
    Ok(empty())
}
