//! `/api/admin/projects/{projectId}/access` and the roles of its members.

use actix_web::web::Data;
use deserr::Deserr;
use latchkey_domain::{GroupId, Holder, RoleId, UserId};
use latchkey_ports::{Member, MemberGroup};
use latchkey_service::{Permit, ProjectAccess, RoleReference, UpdateProject};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Authorized, Body, List, PathParameters, Problems},
    people::{group_body::GroupBody, group_routes::estimated_size, role_body::RoleBody, user_body::UserBody},
    response::{ApiResult, Tagged, empty, tagged},
    wire_time::WireTime,
};

const ACCESS: &str = "/api/admin/projects/{projectId}/access";
const ROLES_OF_GROUP: &str = "/api/admin/projects/{projectId}/groups/{groupId}/roles";
const ROLES_OF_USER: &str = "/api/admin/projects/{projectId}/users/{userId}/roles";
/// About how large one member is in JSON, in bytes.
const MEMBER_BYTES: usize = 448;

pub(super) fn configure(api: &mut Api) {
    api.tag("Projects").private(operations![
        get_project_access,
        add_access_to_project,
        set_project_access,
        set_roles_for_user,
        remove_user_access,
        set_roles_for_group,
        remove_group_access
    ]);
}

/// Get the users and groups of a project, and the roles that they can have.
///
/// A user who has a role by a group alone is a member of that group here, and not among the users.
#[utoipa::path(get, path = ACCESS, responses(
    (status = 200, description = "The members and the roles.", body = ProjectAccessBody<'_>),
))]
async fn get_project_access(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let access = context.use_cases.members.list(&permit).await?;
    let groups = estimated_size(access.groups.iter().map(|group| &group.overview));
    tagged(&ProjectAccessBody::of(&access), 1024 + MEMBER_BYTES * access.members.len() + groups)
}

/// Add roles to users and groups in a project.
///
/// Each role is added to each user and each group. A caller cannot give a role with a permission that they do not hold themselves.
#[utoipa::path(post, path = ACCESS, responses(
    (status = 200, description = "The users and groups hold the roles."),
    (status = 400, description = "Or there is no such user, group or role."),
    (status = 403, description = "Or a permission of a role that is given is missing."),
))]
async fn add_access_to_project(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    body: Body<AddAccessBody>,
    context: Data<Context>,
) -> ApiResult {
    let (users, groups, roles) = body.read().await?.into_parts();
    context.use_cases.members.add(&permit, users, groups, &roles).await?;
    Ok(empty())
}

/// Set the users and groups of a project.
///
/// The users and groups that the body names hold the roles that it gives them, and no user and no group holds another role in
/// the project. A caller cannot give a role with a permission that they do not hold themselves.
#[utoipa::path(put, path = ACCESS, responses(
    (status = 200, description = "The project has these users and groups, and no others."),
    (status = 400, description = "Or there is no such user, group or role."),
    (status = 403, description = "Or a permission of a role that is given is missing."),
))]
async fn set_project_access(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    body: Body<SetAccessBody>,
    context: Data<Context>,
) -> ApiResult {
    let SetAccessBody { roles: List(roles) } = body.read().await?;
    let roles: Vec<_> = roles.into_iter().map(RoleHoldersBody::into_parts).collect();
    context.use_cases.members.replace_all(&permit, &roles).await?;
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
async fn set_roles_for_user(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    path: PathParameters,
    body: Body<SetRolesBody>,
    context: Data<Context>,
) -> ApiResult {
    let user = UserId(path.id("userId")?);
    let roles = body.read().await?.into_roles();
    context.use_cases.members.replace(&permit, user.into(), &roles).await?;
    Ok(empty())
}

/// Remove a user from a project.
///
/// The user loses all own roles there. Roles that groups give stay.
#[utoipa::path(delete, path = ROLES_OF_USER, responses(
    (status = 200, description = "The user holds no role in the project."),
    (status = 404, description = "Or the user holds no role in it."),
))]
async fn remove_user_access(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    let user = UserId(path.id("userId")?);
    context.use_cases.members.remove(&permit, user.into()).await?;
    Ok(empty())
}

/// Set the roles of a group in a project.
///
/// They replace all roles that the group has there.
#[utoipa::path(put, path = ROLES_OF_GROUP, responses(
    (status = 200, description = "The group holds these roles, and no others, in the project."),
    (status = 400, description = "Or there is no such role."),
    (status = 403, description = "Or a permission of a role that is given is missing."),
    (status = 404, description = "Or there is no such group."),
))]
async fn set_roles_for_group(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    path: PathParameters,
    body: Body<SetRolesBody>,
    context: Data<Context>,
) -> ApiResult {
    let group = GroupId(path.id("groupId")?);
    let roles = body.read().await?.into_roles();
    context.use_cases.members.replace(&permit, group.into(), &roles).await?;
    Ok(empty())
}

/// Remove a group from a project.
///
/// The group loses all roles there. Its members keep what they hold otherwise.
#[utoipa::path(delete, path = ROLES_OF_GROUP, responses(
    (status = 200, description = "The group holds no role in the project."),
    (status = 404, description = "Or the group holds no role in it."),
))]
async fn remove_group_access(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    let group = GroupId(path.id("groupId")?);
    context.use_cases.members.remove(&permit, group.into()).await?;
    Ok(empty())
}

/// Adds roles to users and groups in a project.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = projectAddAccessSchema)]
pub struct AddAccessBody {
    /// The ids of the users.
    #[schema(value_type = Vec<i64>, example = json!([1]))]
    users: List<UserId>,
    /// The ids or names of the roles, each of which is added to each user and each group.
    #[schema(value_type = Vec<i64>, example = json!([5]))]
    roles: List<RoleReference>,
    /// The ids of the groups. Absent or null: none.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<i64>>, example = json!([]))]
    groups: Option<List<GroupId>>,
}

impl AddAccessBody {
    /// Returns the users, the groups and the roles.
    pub fn into_parts(self) -> (Vec<UserId>, Vec<GroupId>, Vec<RoleReference>) {
        let Self { users: List(users), roles: List(roles), groups } = self;
        (users, groups.map_or_else(Vec::new, |List(groups)| groups), roles)
    }
}

/// Replaces the users and groups of a project, and their roles.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = projectAccessConfigurationSchema)]
struct SetAccessBody {
    /// The roles and their holders; no user and no group holds a role that is not named.
    #[schema(value_type = Vec<RoleHoldersBody>)]
    roles: List<RoleHoldersBody>,
}

/// The users and groups that hold a role in a project.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = projectRoleHoldersSchema)]
struct RoleHoldersBody {
    /// The id or name of the role.
    #[schema(value_type = i64, example = 5)]
    id: RoleReference,
    /// The ids of the users. Absent or null: none.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<i64>>, example = json!([1]))]
    users: Option<List<UserId>>,
    /// The ids of the groups. Absent or null: none.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<i64>>, example = json!([]))]
    groups: Option<List<GroupId>>,
}

impl RoleHoldersBody {
    fn into_parts(self) -> (RoleReference, Vec<Holder>) {
        let Self { id, users, groups } = self;
        let users = users.into_iter().flat_map(|List(users)| users).map(Holder::from);
        let groups = groups.into_iter().flat_map(|List(groups)| groups).map(Holder::from);
        (id, users.chain(groups).collect())
    }
}

/// Replaces the roles of a user or a group in a project.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = setRolesForUserSchema)]
pub struct SetRolesBody {
    /// The ids or names of the roles; an empty list removes all roles.
    #[schema(value_type = Vec<i64>, example = json!([4]))]
    roles: List<RoleReference>,
}

impl SetRolesBody {
    /// Returns the roles.
    pub fn into_roles(self) -> Vec<RoleReference> {
        let Self { roles: List(roles) } = self;
        roles
    }
}

/// The users and groups of a project, and the roles that they can have.
#[derive(Serialize, ToSchema)]
#[schema(as = projectAccessSchema)]
struct ProjectAccessBody<'a> {
    /// The users with roles of their own, by id.
    users: Vec<MemberBody<'a>>,
    /// The groups, by id.
    groups: Vec<MemberGroupBody<'a>>,
    /// The roles of projects, by id.
    roles: Vec<RoleBody<'a>>,
}

impl<'a> ProjectAccessBody<'a> {
    fn of(access: &'a ProjectAccess) -> Self {
        Self {
            users: access.members.iter().map(MemberBody::of).collect(),
            groups: access.groups.iter().map(MemberGroupBody::of).collect(),
            roles: access.roles.iter().map(RoleBody::of).collect(),
        }
    }
}

/// A user with roles in a project.
#[derive(Serialize, ToSchema)]
#[schema(as = userWithProjectRoleSchema)]
#[serde(rename_all = "camelCase")]
struct MemberBody<'a> {
    #[serde(flatten)]
    user: UserBody<'a>,
    /// When the user got the first of the roles.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    added_at: WireTime,
    /// The id of the first of the roles.
    #[schema(required = true, example = 4)]
    role_id: Option<i64>,
    /// The ids of the roles.
    #[schema(example = json!([4, 5]))]
    roles: Vec<i64>,
}

impl<'a> MemberBody<'a> {
    fn of(member: &'a Member) -> Self {
        let roles: Vec<i64> = member.roles.iter().map(|RoleId(id)| *id).collect();
        Self {
            user: UserBody::of(&member.user),
            added_at: WireTime(member.added_at),
            role_id: roles.first().copied(),
            roles,
        }
    }
}

/// A group with roles in a project.
#[derive(Serialize, ToSchema)]
#[schema(as = groupWithProjectRoleSchema)]
#[serde(rename_all = "camelCase")]
struct MemberGroupBody<'a> {
    #[serde(flatten)]
    group: GroupBody<'a>,
    /// When the group got the first of the roles.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    added_at: WireTime,
    /// The id of the first of the roles.
    #[schema(required = true, example = 4)]
    role_id: Option<i64>,
    /// The ids of the roles.
    #[schema(example = json!([4, 5]))]
    roles: Vec<i64>,
}

impl<'a> MemberGroupBody<'a> {
    fn of(member: &'a MemberGroup) -> Self {
        let roles: Vec<i64> = member.roles.iter().map(|RoleId(id)| *id).collect();
        Self {
            group: GroupBody::of(&member.overview),
            added_at: WireTime(member.added_at),
            role_id: roles.first().copied(),
            roles,
        }
    }
}
