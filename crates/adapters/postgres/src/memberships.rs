//! Who holds which roles in a project, and how users and roles are held while they are put together.

use diesel::{
    ExpressionMethods, QueryDsl, SelectableHelper, delete, sql_query,
    sql_types::{Array, BigInt, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{EventId, NewEvent, RoleId, RoleKind, UserId};
use latchkey_ports::{Entity, Memberships};

use crate::{
    connection::Connection,
    errors::{Failure, conflict, not_found},
    events::record,
    locks::{Numbering, number},
    places::hold_project,
    rows::RoleRow,
    schema::{memberships, roles, users},
};

/// Gives each of the users each of the roles. Two arrays, because so many binds as there are pairs have no room.
const GIVE: &str = "\
    INSERT INTO memberships (user_id, project_id, role_id, added_at) \
    SELECT user_id, $1, role_id, $2 FROM unnest($3) AS user_id, unnest($4) AS role_id \
    ON CONFLICT DO NOTHING";

/// Gives roles in addition to those held.
pub(crate) async fn add(
    connection: &mut Connection,
    given: &Memberships,
    event: &NewEvent,
) -> Result<EventId, Failure> {
    hold_all(connection, given).await?;
    let writing = number(connection).await?;
    if give(connection, &writing, given).await? == 0 {
        return Err(conflict(Entity::Membership));
    }
    record(connection, &writing, event).await
}

/// Gives these roles and takes away all others.
pub(crate) async fn replace(
    connection: &mut Connection,
    given: &Memberships,
    event: &NewEvent,
) -> Result<EventId, Failure> {
    hold_all(connection, given).await?;
    let writing = number(connection).await?;
    let others = memberships::table
        .filter(memberships::user_id.eq_any(given.users.iter().map(|user| user.0)))
        .filter(memberships::project_id.eq(given.project.as_str()))
        .filter(memberships::role_id.ne_all(given.roles.iter().map(|role| role.0)));
    delete(others).execute(connection).await?;
    give(connection, &writing, given).await?;
    record(connection, &writing, event).await
}

async fn give(
    connection: &mut Connection,
    _writing: &Numbering,
    given: &Memberships,
) -> Result<usize, Failure> {
    Ok(sql_query(GIVE)
        .bind::<Text, _>(given.project.as_str())
        .bind::<Timestamptz, _>(given.at.to_datetime())
        .bind::<Array<BigInt>, _>(given.users.iter().map(|user| user.0).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(given.roles.iter().map(|role| role.0).collect::<Vec<_>>())
        .execute(connection)
        .await?)
}

/// Holds the project, the roles and the users, and says which of them is not there, in the order that the port demands.
async fn hold_all(connection: &mut Connection, given: &Memberships) -> Result<(), Failure> {
    let project_exists = hold_project(connection, &given.project).await?;
    let roles = hold_roles(connection, &given.roles).await?;
    let users = hold_users(connection, &given.users).await?;
    if let Some(user) = given.users.iter().find(|user| !users.contains(user)) {
        return Err(not_found(Entity::User(*user)));
    }
    if !project_exists {
        return Err(not_found(Entity::Project(given.project.clone())));
    }
    let in_projects = |role: &RoleId| roles.iter().any(|(id, kind)| id == role && !kind.is_root());
    match given.roles.iter().find(|role| !in_projects(role)) {
        Some(role) => Err(not_found(Entity::Role(*role))),
        None => Ok(()),
    }
}

/// Those of these roles that exist, which then stay until the transaction ends.
pub(crate) async fn hold_roles(
    connection: &mut Connection,
    ids: &[RoleId],
) -> Result<Vec<(RoleId, RoleKind)>, Failure> {
    let rows: Vec<RoleRow> = roles::table
        .filter(roles::id.eq_any(ids.iter().map(|id| id.0)))
        .order(roles::id)
        .select(RoleRow::as_select())
        .for_key_share()
        .load(connection)
        .await?;
    let kinds: Result<_, _> = rows.iter().map(|row| Ok((RoleId(row.id), row.role_kind()?))).collect();
    kinds
}

/// Those of these users that exist, who then stay until the transaction ends.
pub(crate) async fn hold_users(connection: &mut Connection, ids: &[UserId]) -> Result<Vec<UserId>, Failure> {
    let found: Vec<i64> = users::table
        .filter(users::id.eq_any(ids.iter().map(|id| id.0)))
        .order(users::id)
        .select(users::id)
        .for_key_share()
        .load(connection)
        .await?;
    Ok(found.into_iter().map(UserId).collect())
}
