//! `/api/admin/projects/{projectId}/access` and the roles of its members.

use actix_web::web::Data;
use deserr::{Deserr, IntoValue, Sequence as _, Value, ValuePointerRef as Location};
use latchkey_domain::{RoleId, UserId};
use latchkey_ports::Member;
use latchkey_service::{Permit, ProjectAccess, RoleReference, UpdateProject};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Authorized, Body, List, PathParameters, Problems},
    people::{role_body::RoleBody, user_body::UserBody},
    response::{ApiResult, Tagged, empty, tagged},
    wire_time::WireTime,
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
async fn get_project_access(
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
async fn add_access_to_project(
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
async fn set_roles_for_user(
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
async fn remove_user_access(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    let user = UserId(path.id("userId")?);
    context.use_cases.members.remove(&permit, user).await?;
    Ok(empty())
}

/// Adds roles to users in a project.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = projectAddAccessSchema)]
struct AddAccessBody {
    /// The ids of the users.
    #[schema(value_type = Vec<i64>, example = json!([1]))]
    users: List<UserId>,
    /// The ids or names of the roles, each of which is added to each user.
    #[schema(value_type = Vec<i64>, example = json!([5]))]
    roles: List<RoleReference>,
    /// Absent or empty: groups are not supported.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<i64>>, example = json!([]))]
    groups: NoGroups,
}

/// Replaces a user's roles in a project.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = setRolesForUserSchema)]
struct SetRolesBody {
    /// The ids or names of the roles; an empty list removes all roles.
    #[schema(value_type = Vec<i64>, example = json!([4]))]
    roles: List<RoleReference>,
}

/// An empty list of groups, or none.
#[derive(Debug, Default)]
struct NoGroups;

impl Deserr<Problems> for NoGroups {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        match value {
            Value::Null => Ok(Self),
            Value::Sequence(groups) if groups.len() == 0 => Ok(Self),
            _ => Err(Problems::at(place, "Groups are not supported: leave groups out, and name users.")),
        }
    }
}

/// The members of a project, and the roles that they can have.
#[derive(Serialize, ToSchema)]
#[schema(as = projectAccessSchema)]
struct ProjectAccessBody<'a> {
    /// The members, by id.
    users: Vec<MemberBody<'a>>,
    /// Always empty: groups are not supported.
    #[schema(example = json!([]))]
    groups: Vec<String>,
    /// The roles of projects, by id.
    roles: Vec<RoleBody<'a>>,
}

impl<'a> ProjectAccessBody<'a> {
    fn of(access: &'a ProjectAccess) -> Self {
        Self {
            users: access.members.iter().map(MemberBody::of).collect(),
            groups: Vec::new(),
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
