//! Statements on memberships: the roles that users hold in projects, and the grants that follow.

use diesel::{
    ExpressionMethods, QueryDsl, delete, sql_query,
    sql_types::{Array, BigInt, Text},
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{EventId, Grants, NewEvent, RoleId, UserId};
use latchkey_ports::{Entity, Memberships};
use latchkey_sql::{
    columns::{DbTime, UtcTime},
    errors::{DbError, conflict, not_found},
    queries, rows,
    schema::memberships,
};

use crate::{
    connection::Connection,
    events::record,
    locks::{EventLogLock, lock_event_log, lock_project, lock_roles, lock_users},
};

/// Gives each user each role. Two arrays, because a statement has no room for a bind per pair.
const GIVE: &str = "\
    INSERT INTO memberships (user_id, project_id, role_id, added_at) \
    SELECT user_id, $1, role_id, $2 FROM unnest($3) AS user_id, unnest($4) AS role_id \
    ON CONFLICT DO NOTHING";

/// Gives roles in addition to those held.
pub(crate) async fn add_memberships(
    connection: &mut Connection,
    given: &Memberships,
    event: &NewEvent,
) -> Result<EventId, DbError> {
    lock_all(connection, given).await?;
    let writing = lock_event_log(connection).await?;
    if give(connection, &writing, given).await? == 0 {
        return Err(conflict(Entity::Membership));
    }
    record(connection, &writing, event).await
}

/// Gives these roles and takes away all others.
pub(crate) async fn replace_memberships(
    connection: &mut Connection,
    given: &Memberships,
    event: &NewEvent,
) -> Result<EventId, DbError> {
    lock_all(connection, given).await?;
    let writing = lock_event_log(connection).await?;
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
    _writing: &EventLogLock,
    given: &Memberships,
) -> Result<usize, DbError> {
    Ok(sql_query(GIVE)
        .bind::<Text, _>(given.project.as_str())
        .bind::<UtcTime, _>(DbTime::from(given.at))
        .bind::<Array<BigInt>, _>(given.users.iter().map(|user| user.0).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(given.roles.iter().map(|role| role.0).collect::<Vec<_>>())
        .execute(connection)
        .await?)
}

/// Locks the project, the roles and the users, and fails with the first that does not exist, in the order of the port.
async fn lock_all(connection: &mut Connection, given: &Memberships) -> Result<(), DbError> {
    let project_exists = lock_project(connection, &given.project).await?;
    let roles = lock_roles(connection, &given.roles).await?;
    let users = lock_users(connection, &given.users).await?;
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

/// Returns the grants of a user; none for an unknown one.
pub(crate) async fn grants(connection: &mut Connection, user: UserId) -> Result<Grants, DbError> {
    Ok(rows::grants(queries::grants_of(user.0).load(connection).await?)?)
}
