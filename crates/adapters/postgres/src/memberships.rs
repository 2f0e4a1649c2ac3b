//! Statements on memberships: the roles that users and groups hold in projects, and the grants that follow.

use diesel::{
    ExpressionMethods, QueryDsl, delete, sql_query,
    sql_types::{Array, BigInt, Text},
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{Grants, RoleId, UserId};
use latchkey_ports::{Entity, Memberships};
use latchkey_sql::{
    columns::{DbTime, UtcTime},
    errors::{DbError, not_found},
    queries, rows,
    schema::{group_roles, memberships},
};

use crate::{
    connection::Connection,
    locks::{EventLogLock, lock_groups, lock_project, lock_roles, lock_users},
};

/// Gives each user each role. Two arrays, because a statement has no room for a bind per pair.
const GIVE: &str = "\
    INSERT INTO memberships (user_id, project_id, role_id, added_at) \
    SELECT user_id, $1, role_id, $2 FROM unnest($3) AS user_id, unnest($4) AS role_id \
    ON CONFLICT DO NOTHING";

/// As [`GIVE`], for groups.
const GIVE_TO_GROUPS: &str = "\
    INSERT INTO group_roles (group_id, project_id, role_id, added_at) \
    SELECT group_id, $1, role_id, $2 FROM unnest($3) AS group_id, unnest($4) AS role_id \
    ON CONFLICT DO NOTHING";

/// Takes from each user and each group all other roles in the project.
pub(crate) async fn take_all_but(
    connection: &mut Connection,
    _lock: &EventLogLock,
    wanted: &Memberships,
) -> Result<(), DbError> {
    let others = memberships::table
        .filter(memberships::user_id.eq_any(wanted.users.iter().map(|user| user.0)))
        .filter(memberships::project_id.eq(wanted.project.as_str()))
        .filter(memberships::role_id.ne_all(wanted.roles.iter().map(|role| role.0)));
    delete(others).execute(connection).await?;
    let others = group_roles::table
        .filter(group_roles::group_id.eq_any(wanted.groups.iter().map(|group| group.0)))
        .filter(group_roles::project_id.eq(wanted.project.as_str()))
        .filter(group_roles::role_id.ne_all(wanted.roles.iter().map(|role| role.0)));
    delete(others).execute(connection).await?;
    Ok(())
}

/// Gives each user and each group each role; returns whether any was not held before.
pub(crate) async fn give(
    connection: &mut Connection,
    _lock: &EventLogLock,
    wanted: &Memberships,
) -> Result<bool, DbError> {
    let mut given = 0;
    for (statement, holders) in [
        (GIVE, wanted.users.iter().map(|user| user.0).collect::<Vec<_>>()),
        (GIVE_TO_GROUPS, wanted.groups.iter().map(|group| group.0).collect()),
    ] {
        if !holders.is_empty() {
            given += sql_query(statement)
                .bind::<Text, _>(wanted.project.as_str())
                .bind::<UtcTime, _>(DbTime::from(wanted.at))
                .bind::<Array<BigInt>, _>(holders)
                .bind::<Array<BigInt>, _>(wanted.roles.iter().map(|role| role.0).collect::<Vec<_>>())
                .execute(connection)
                .await?;
        }
    }
    Ok(given > 0)
}

/// Locks the project, the roles, the groups and the users, and fails with the first that does not exist, in the order of the port.
pub(crate) async fn lock_all(connection: &mut Connection, wanted: &Memberships) -> Result<(), DbError> {
    let project_exists = lock_project(connection, &wanted.project).await?;
    let roles = lock_roles(connection, &wanted.roles).await?;
    let groups = lock_groups(connection, &wanted.groups).await?;
    let users = lock_users(connection, &wanted.users).await?;
    if let Some(user) = wanted.users.iter().find(|user| !users.contains(user)) {
        return Err(not_found(Entity::User(*user)));
    }
    if let Some(group) = wanted.groups.iter().find(|group| !groups.contains(group)) {
        return Err(not_found(Entity::Group(*group)));
    }
    if !project_exists {
        return Err(not_found(Entity::Project(wanted.project.clone())));
    }
    let in_projects = |role: &RoleId| roles.iter().any(|(id, kind)| id == role && !kind.is_root());
    match wanted.roles.iter().find(|role| !in_projects(role)) {
        Some(role) => Err(not_found(Entity::Role(*role))),
        None => Ok(()),
    }
}

/// Returns the grants of a user; none for an unknown one.
pub(crate) async fn grants(connection: &mut Connection, user: UserId) -> Result<Grants, DbError> {
    Ok(rows::grants(queries::grants_of(user.0).load(connection).await?)?)
}
