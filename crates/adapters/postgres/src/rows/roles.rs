//! Roles, who holds them, and what that allows.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::{Insertable, Queryable, Selectable, pg::Pg};
use latchkey_domain::{
    Grant, Grants, NewRole, Permission, Place, ProjectId, Role, RoleDescription, RoleId, RoleKind, RoleName,
};
use latchkey_ports::{Inconsistency, Member};

use super::{Row, UserRow};
use crate::schema::{memberships, roles, user_grants};

/// A row of `roles`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = roles, check_for_backend(Pg))]
pub(crate) struct RoleRow {
    pub(crate) id: i64,
    name: String,
    kind: String,
    description: String,
}

impl RoleRow {
    /// Where the role is held.
    pub(crate) fn role_kind(&self) -> Result<RoleKind, Inconsistency> {
        let at = Row { table: "roles", key: self.id };
        at.column("kind", self.kind.parse())
    }
}

/// Roles with their permissions. Both lists are in the order of role ids.
pub(crate) fn roles(
    roles: Vec<RoleRow>,
    permissions: Vec<(i64, String)>,
) -> Result<Vec<Role>, Inconsistency> {
    let mut permissions = permissions.into_iter().peekable();
    roles
        .into_iter()
        .map(|row| {
            let mut held = BTreeSet::new();
            while let Some((_, name)) = permissions.next_if(|(role, _)| *role == row.id) {
                held.insert(permission(row.id, &name)?);
            }
            let at = Row { table: "roles", key: row.id };
            Ok(Role {
                id: RoleId(row.id),
                kind: row.role_kind()?,
                name: at.column("name", RoleName::new(&row.name))?,
                description: at.column("description", RoleDescription::new(&row.description))?,
                permissions: held,
            })
        })
        .collect()
}

fn permission(role: i64, name: &str) -> Result<Permission, Inconsistency> {
    let at = Row { table: "role_permissions", key: role };
    at.column("permission", name.parse())
}

/// A new row of `roles`.
#[derive(Insertable)]
#[diesel(table_name = roles)]
pub(crate) struct NewRoleRow<'a> {
    name: &'a str,
    kind: &'static str,
    description: &'a str,
}

impl<'a> From<&'a NewRole> for NewRoleRow<'a> {
    fn from(role: &'a NewRole) -> Self {
        let (name, description) = (role.name.as_str(), role.description.as_str());
        Self { name, kind: role.kind.as_str(), description }
    }
}

/// A row of `memberships` with its user.
#[derive(Queryable, Selectable)]
#[diesel(table_name = memberships, check_for_backend(Pg))]
pub(crate) struct MembershipRow {
    role_id: i64,
    added_at: DateTime<Utc>,
    #[diesel(embed)]
    user: UserRow,
}

/// Those who hold roles, of rows in the order of user ids, then role ids.
pub(crate) fn members(rows: Vec<MembershipRow>) -> Result<Vec<Member>, Inconsistency> {
    let mut members: Vec<Member> = Vec::new();
    for row in rows {
        let at = Row { table: "memberships", key: row.user.id };
        let (role, added_at) = (RoleId(row.role_id), at.moment("added_at", row.added_at)?);
        match members.last_mut().filter(|member| member.user.id.0 == row.user.id) {
            Some(member) => {
                member.roles.push(role);
                member.added_at = member.added_at.min(added_at);
            }
            None => members.push(Member { user: row.user.try_into()?, roles: vec![role], added_at }),
        }
    }
    Ok(members)
}

/// A row of the view `user_grants`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = user_grants, check_for_backend(Pg))]
pub(crate) struct GrantRow {
    user_id: i64,
    project_id: Option<String>,
    role_id: i64,
    permission: String,
}

/// All that the rows of one user allow.
pub(crate) fn grants(rows: Vec<GrantRow>) -> Result<Grants, Inconsistency> {
    rows.into_iter()
        .map(|row| {
            let at = Row { table: "memberships", key: row.user_id };
            let place = match row.project_id {
                None => Place::Instance,
                Some(id) => Place::Project(at.column("project_id", ProjectId::new(&id))?),
            };
            Ok(Grant { permission: permission(row.role_id, &row.permission)?, place })
        })
        .collect()
}
