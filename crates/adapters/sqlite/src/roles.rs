//! How roles are found, come, change and go within a transaction.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper,
    SqliteConnection, delete, dsl::exists, insert_into, select, update,
};
use latchkey_domain::{NewRole, Permission, Role, RoleId};
use latchkey_ports::Entity;

use crate::{
    errors::{Failure, not_found, taken},
    rows::{self, ChangedRoleRow, NewRoleRow, RoleRow},
    schema::{last_made_role, memberships, role_permissions, roles, users},
};

/// Every role, by id.
pub(crate) fn every_role(connection: &mut SqliteConnection) -> Result<Vec<Role>, Failure> {
    let roles = roles::table.order(roles::id).select(RoleRow::as_select()).load(connection)?;
    let permissions = role_permissions::table
        .order((role_permissions::role_id, role_permissions::permission))
        .load(connection)?;
    Ok(rows::roles(roles, permissions)?)
}

/// The role of this id.
pub(crate) fn find(connection: &mut SqliteConnection, id: RoleId) -> Result<Option<Role>, Failure> {
    let role = roles::table.find(id.0).select(RoleRow::as_select()).load(connection)?;
    let permissions = role_permissions::table.filter(role_permissions::role_id.eq(id.0)).load(connection)?;
    Ok(rows::roles(role, permissions)?.pop())
}

/// That there is such a role, held for the whole instance or not.
pub(crate) fn check_role(
    connection: &mut SqliteConnection,
    id: RoleId,
    of_instance: bool,
) -> Result<(), Failure> {
    let row = roles::table.find(id.0).select(RoleRow::as_select()).first(connection).optional()?;
    let kind = row.map(|row| row.role_kind()).transpose()?;
    match kind {
        Some(kind) if kind.is_root() == of_instance => Ok(()),
        _ => Err(not_found(Entity::Role(id))),
    }
}

/// Keeps a new role under an id that none had before.
pub(crate) fn keep(connection: &mut SqliteConnection, role: &NewRole) -> Result<RoleId, Failure> {
    let id: i64 = update(last_made_role::table)
        .set(last_made_role::id.eq(last_made_role::id + 1))
        .returning(last_made_role::id)
        .get_result(connection)?;
    insert_into(roles::table).values(NewRoleRow::new(id, role)).execute(connection).map_err(taken(name))?;
    allow(connection, RoleId(id), &role.permissions)?;
    Ok(RoleId(id))
}

/// Puts a role in the place of the one of this id.
pub(crate) fn change(connection: &mut SqliteConnection, id: RoleId, role: &Role) -> Result<(), Failure> {
    update(roles::table.find(id.0))
        .set(ChangedRoleRow::from(role))
        .execute(connection)
        .map_err(taken(name))?;
    delete(role_permissions::table.filter(role_permissions::role_id.eq(id.0))).execute(connection)?;
    allow(connection, id, &role.permissions)
}

fn allow<'a>(
    connection: &mut SqliteConnection,
    id: RoleId,
    permissions: impl IntoIterator<Item = &'a Permission>,
) -> Result<(), Failure> {
    for permission in permissions {
        insert_into(role_permissions::table)
            .values((
                role_permissions::role_id.eq(id.0),
                role_permissions::permission.eq(permission.as_str()),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// What is taken, by the column that has to be unique.
fn name(columns: &str) -> Option<Entity> {
    (columns == "roles.name").then_some(Entity::RoleName)
}

/// Whether a user holds the role, for the instance or in a project.
pub(crate) fn is_held(connection: &mut SqliteConnection, id: RoleId) -> Result<bool, Failure> {
    let for_instance = exists(users::table.filter(users::root_role_id.eq(id.0)));
    let in_project = exists(memberships::table.filter(memberships::role_id.eq(id.0)));
    Ok(select(for_instance.or(in_project)).get_result(connection)?)
}

/// Removes a role that nobody holds, and says whether it was there.
pub(crate) fn remove(connection: &mut SqliteConnection, id: RoleId) -> Result<bool, Failure> {
    Ok(delete(roles::table.find(id.0)).execute(connection)? > 0)
}
