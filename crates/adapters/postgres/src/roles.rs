//! How roles are read, made, changed and removed.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl,
    SelectableHelper, delete, dsl::exists, insert_into, select, update,
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{EventId, NewEvent, NewRole, Permission, Role, RoleId};
use latchkey_ports::{Entity, StoreError};

use crate::{
    connection::Connection,
    errors::{Failure, not_found, taken},
    events::record,
    locks::{Numbering, number},
    rows::{self, NewRoleRow, RoleRow},
    schema::{memberships, role_permissions, roles, users},
};

/// Every role, by id. In one statement: of two, the second may see what was committed after the first, and a role that came
/// into being between them would seem to allow nothing, so that anybody might give it.
pub(crate) async fn all(connection: &mut Connection) -> Result<Vec<Role>, Failure> {
    let rows: Vec<(RoleRow, Option<String>)> = roles::table
        .left_join(role_permissions::table)
        .order((roles::id, role_permissions::permission))
        .select((RoleRow::as_select(), role_permissions::permission.nullable()))
        .load(connection)
        .await?;
    Ok(rows::roles(rows)?)
}

/// The role of this id.
pub(crate) async fn find(connection: &mut Connection, id: RoleId) -> Result<Option<Role>, Failure> {
    let rows: Vec<(RoleRow, Option<String>)> = roles::table
        .left_join(role_permissions::table)
        .filter(roles::id.eq(id.0))
        .select((RoleRow::as_select(), role_permissions::permission.nullable()))
        .load(connection)
        .await?;
    Ok(rows::roles(rows)?.pop())
}

/// Keeps a new role.
pub(crate) async fn create(
    connection: &mut Connection,
    role: &NewRole,
    event: NewEvent,
) -> Result<(RoleId, EventId), Failure> {
    let writing = number(connection).await?;
    let id: i64 = insert_into(roles::table)
        .values(NewRoleRow::from(role))
        .returning(roles::id)
        .get_result(connection)
        .await
        .map_err(taken(name_taken))?;
    allow(connection, &writing, RoleId(id), role.permissions.iter()).await?;
    let event = record(connection, &writing, &event.with_assigned_id(id)).await?;
    Ok((RoleId(id), event))
}

fn name_taken(constraint: &str) -> Option<Entity> {
    (constraint == "roles_name_unique").then_some(Entity::RoleName)
}

async fn allow(
    connection: &mut Connection,
    _writing: &Numbering,
    role: RoleId,
    permissions: impl Iterator<Item = &Permission> + Send,
) -> Result<(), Failure> {
    let rows: Vec<_> = permissions
        .map(|permission| {
            (role_permissions::role_id.eq(role.0), role_permissions::permission.eq(permission.as_str()))
        })
        .collect();
    if !rows.is_empty() {
        insert_into(role_permissions::table).values(rows).execute(connection).await?;
    }
    Ok(())
}

/// Puts the second in the place of the first, if that is still what is kept.
pub(crate) async fn replace(
    connection: &mut Connection,
    before: &Role,
    after: &Role,
    event: &NewEvent,
) -> Result<EventId, Failure> {
    let role = roles::table.find(before.id.0);
    // Held first, and read then: a role's permissions change with its row.
    let _held: Option<i64> = role.select(roles::id).for_update().first(connection).await.optional()?;
    let kept = find(connection, before.id).await?;
    StoreError::unless_kept(kept.as_ref(), before, Entity::Role(before.id))?;
    let writing = number(connection).await?;
    update(role)
        .set((
            roles::name.eq(after.name.as_str()),
            roles::kind.eq(after.kind.as_str()),
            roles::description.eq(after.description.as_str()),
        ))
        .execute(connection)
        .await
        .map_err(taken(name_taken))?;
    delete(role_permissions::table.filter(role_permissions::role_id.eq(before.id.0)))
        .execute(connection)
        .await?;
    allow(connection, &writing, before.id, after.permissions.iter()).await?;
    record(connection, &writing, event).await
}

/// Removes a role that nobody holds. Nobody can be given it from the moment that it is held here.
pub(crate) async fn remove(
    connection: &mut Connection,
    id: RoleId,
    event: &NewEvent,
) -> Result<EventId, Failure> {
    let role = roles::table.find(id.0);
    let held: Option<i64> = role.select(roles::id).for_update().first(connection).await.optional()?;
    if held.is_none() {
        return Err(not_found(Entity::Role(id)));
    }
    let as_root_role = exists(users::table.filter(users::root_role_id.eq(id.0)));
    let in_projects = exists(memberships::table.filter(memberships::role_id.eq(id.0)));
    if select(as_root_role.or(in_projects)).get_result(connection).await? {
        return Err(Failure::Answer(StoreError::InUse(Entity::Role(id))));
    }
    let writing = number(connection).await?;
    delete(role).execute(connection).await?;
    record(connection, &writing, event).await
}
