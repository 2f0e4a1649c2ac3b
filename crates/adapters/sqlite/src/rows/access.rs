//! Roles, and what they allow.

use std::collections::BTreeSet;

use diesel::{AsChangeset, Insertable, Queryable, Selectable, sqlite::Sqlite};
use latchkey_domain::{
    Grant, Grants, NewRole, Permission, Place, ProjectId, Role, RoleDescription, RoleId, RoleKind, RoleName,
    User,
};
use latchkey_ports::{Inconsistency, Member};

use super::{Row, UserRow};
use crate::schema::{roles, user_grants};

/// A row of `roles`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = roles, check_for_backend(Sqlite))]
pub(crate) struct RoleRow {
    id: i64,
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

/// A row of the view `user_grants`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = user_grants, check_for_backend(Sqlite))]
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

/// A new row of `roles`, under an id that was drawn for it.
#[derive(Insertable)]
#[diesel(table_name = roles)]
pub(crate) struct NewRoleRow<'a> {
    id: i64,
    name: &'a str,
    kind: &'static str,
    description: &'a str,
}

impl<'a> NewRoleRow<'a> {
    pub(crate) fn new(id: i64, role: &'a NewRole) -> Self {
        Self {
            id,
            name: role.name.as_str(),
            kind: role.kind.as_str(),
            description: role.description.as_str(),
        }
    }
}

/// What of a row of `roles` can change.
#[derive(AsChangeset)]
#[diesel(table_name = roles)]
pub(crate) struct ChangedRoleRow<'a> {
    name: &'a str,
    description: &'a str,
}

impl<'a> From<&'a Role> for ChangedRoleRow<'a> {
    fn from(role: &'a Role) -> Self {
        Self { name: role.name.as_str(), description: role.description.as_str() }
    }
}

/// The roles that users hold in one project, and since when: rows in the order of user and role ids.
pub(crate) fn members(rows: Vec<(UserRow, i64, i64)>) -> Result<Vec<Member>, Inconsistency> {
    let mut members: Vec<Member> = Vec::new();
    for (row, role, added_at) in rows {
        let user = User::try_from(row)?;
        let at = Row { table: "memberships", key: user.id };
        let added_at = at.moment("added_at", added_at)?;
        match members.last_mut() {
            Some(member) if member.user.id == user.id => {
                member.roles.push(RoleId(role));
                member.added_at = member.added_at.min(added_at);
            }
            _ => members.push(Member { user, roles: vec![RoleId(role)], added_at }),
        }
    }
    Ok(members)
}
