//! On the wire: who holds which roles in a project.

use latchkey_domain::{RoleId, UserId};
use latchkey_ports::Member;
use latchkey_service::{ProjectAccess, RoleReference};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    error::ApiError,
    error_body::Detail,
    extract::fields::{Fields, role_reference},
    people::role_body::RoleBody,
    people::user_body::UserBody,
    wire_time::WireTime,
};

/// A body that gives users roles in a project.
#[derive(ToSchema)]
#[schema(as = projectAddAccessSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `additions` reads it")]
pub(crate) struct AddAccessBody {
    /// The ids of the users.
    #[schema(example = json!([7, 8]))]
    users: Vec<i64>,
    /// The ids of the roles, each of which each user gets.
    #[schema(example = json!([5]))]
    roles: Vec<i64>,
    /// To be left out, or empty: there are no groups here.
    #[schema(example = json!([]))]
    groups: Option<Vec<i64>>,
}

/// A body that replaces a user's roles in a project.
#[derive(ToSchema)]
#[schema(as = setRolesForUserSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `replacement` reads it")]
pub(crate) struct SetRolesBody {
    /// The ids of the roles; none takes all roles away.
    #[schema(example = json!([4]))]
    roles: Vec<i64>,
}

/// Reads the body that gives users roles.
///
/// # Errors
/// [`ApiError::BadInput`] with every problem of every member.
pub(crate) fn additions(body: Value) -> Result<(Vec<UserId>, Vec<RoleReference>), ApiError> {
    let mut fields = Fields::of(body)?;
    fields.need("users");
    let users = fields.list("users", user);
    let roles = roles(&mut fields);
    let groups = fields.list("groups", |group| Ok(group.clone())).unwrap_or_default();
    if !groups.is_empty() {
        let message = "There are no groups here: leave groups out, and name users.";
        fields.problem(Detail::of_field("groups", message));
    }
    fields.finish(users.zip(roles))
}

/// Reads the body that replaces a user's roles.
///
/// # Errors
/// [`ApiError::BadInput`] with every problem of every member.
pub(crate) fn replacement(body: Value) -> Result<Vec<RoleReference>, ApiError> {
    let mut fields = Fields::of(body)?;
    let roles = roles(&mut fields);
    fields.finish(roles)
}

fn user(entry: &Value) -> Result<UserId, String> {
    let id = entry.as_i64().ok_or_else(|| format!("users must be a list of user ids, without {entry}."))?;
    Ok(UserId(id))
}

fn roles(fields: &mut Fields) -> Option<Vec<RoleReference>> {
    fields.need("roles");
    fields.list("roles", |entry| {
        role_reference(entry).ok_or_else(|| format!("roles must be a list of role ids, without {entry}."))
    })
}

/// The members of a project, and the roles that there are for them.
#[derive(Serialize, ToSchema)]
#[schema(as = projectAccessSchema)]
pub(crate) struct ProjectAccessBody<'a> {
    /// The members, by id.
    users: Vec<MemberBody<'a>>,
    /// Always empty: there are no groups here.
    #[schema(example = json!([]))]
    groups: Vec<String>,
    /// The roles that can be held in projects, by id.
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

/// A user who holds roles in a project.
#[derive(Serialize, ToSchema)]
#[schema(as = userWithProjectRoleSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemberBody<'a> {
    #[serde(flatten)]
    user: UserBody<'a>,
    /// When the first of the roles was given.
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
