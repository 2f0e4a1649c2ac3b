//! The bodies of a project's members and their roles.

use deserr::{Deserr, IntoValue, Sequence as _, Value, ValuePointerRef as Location};
use latchkey_domain::{RoleId, UserId};
use latchkey_ports::Member;
use latchkey_service::{ProjectAccess, RoleReference};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    extract::{List, Problems},
    people::{role_body::RoleBody, user_body::UserBody},
    wire_time::WireTime,
};

/// Adds roles to users in a project.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = projectAddAccessSchema)]
pub(crate) struct AddAccessBody {
    /// The ids of the users.
    #[schema(value_type = Vec<i64>, example = json!([7, 8]))]
    pub(crate) users: List<UserId>,
    /// The ids or names of the roles, each of which is added to each user.
    #[schema(value_type = Vec<i64>, example = json!([5]))]
    pub(crate) roles: List<RoleReference>,
    /// Absent or empty: groups are not supported.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<i64>>, example = json!([]))]
    pub(crate) groups: NoGroups,
}

/// Replaces a user's roles in a project.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = setRolesForUserSchema)]
pub(crate) struct SetRolesBody {
    /// The ids or names of the roles; an empty list removes all roles.
    #[schema(value_type = Vec<i64>, example = json!([4]))]
    pub(crate) roles: List<RoleReference>,
}

/// An empty list of groups, or none.
#[derive(Debug, Default)]
pub(crate) struct NoGroups;

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
pub(crate) struct ProjectAccessBody<'a> {
    /// The members, by id.
    users: Vec<MemberBody<'a>>,
    /// Always empty: groups are not supported.
    #[schema(example = json!([]))]
    groups: Vec<String>,
    /// The roles of projects, by id.
    roles: Vec<RoleBody<'a>>,
}

impl<'a> ProjectAccessBody<'a> {
    pub(crate) fn of(access: &'a ProjectAccess) -> Self {
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
pub(crate) struct MemberBody<'a> {
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
