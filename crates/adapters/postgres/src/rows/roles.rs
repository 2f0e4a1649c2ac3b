//! Roles, who holds them, and what that allows.

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

    fn role(&self, allowed: Option<Permission>) -> Result<Role, Inconsistency> {
        let at = Row { table: "roles", key: self.id };
        Ok(Role {
            id: RoleId(self.id),
            kind: self.role_kind()?,
            name: at.column("name", RoleName::new(&self.name))?,
            description: at.column("description", RoleDescription::new(&self.description))?,
            permissions: allowed.into_iter().collect(),
        })
    }
}

/// Roles with their permissions, one in a row; all rows of a role follow one another.
pub(crate) fn roles(rows: Vec<(RoleRow, Option<String>)>) -> Result<Vec<Role>, Inconsistency> {
    let mut roles: Vec<Role> = Vec::new();
    for (row, allowed) in rows {
        let allowed = allowed.map(|name| permission(row.id, &name)).transpose()?;
        match roles.last_mut().filter(|role| role.id.0 == row.id) {
            Some(role) => role.permissions.extend(allowed),
            None => roles.push(row.role(allowed)?),
        }
    }
    Ok(roles)
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
