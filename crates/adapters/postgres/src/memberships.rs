//! Statements on memberships: the roles that users and groups hold in projects, and the grants that follow.

use diesel::{
    ExpressionMethods, QueryDsl, delete, sql_query,
    sql_types::{Array, BigInt, Text},
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{Grants, ProjectId, RoleId, Timestamp, UserId};
use latchkey_ports::{Entity, Holdings, MembersChange, Memberships};
use latchkey_sql::{
    columns::{DbTime, UtcTime},
    errors::{DbError, not_found, stale},
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

/// Gives each user the role beside it, from the time beside it on.
const GIVE_EACH: &str = "\
    INSERT INTO memberships (user_id, project_id, role_id, added_at) \
    SELECT user_id, $1, role_id, added_at FROM unnest($2, $3, $4) AS given (user_id, role_id, added_at) \
    ON CONFLICT DO NOTHING";

/// Takes from each user the role beside it.
const TAKE_EACH: &str = "\
    DELETE FROM memberships USING unnest($2, $3) AS pairs (user_id, role_id) \
    WHERE memberships.project_id = $1 AND memberships.user_id = pairs.user_id AND memberships.role_id = pairs.role_id";

/// Gives each user one role in the project, from a time on. A role that is held already stays as it is.
pub(crate) async fn give_each(
    connection: &mut Connection,
    _lock: &EventLogLock,
    project: &ProjectId,
    given: &[(UserId, RoleId, Timestamp)],
) -> Result<(), DbError> {
    if !given.is_empty() {
        sql_query(GIVE_EACH)
            .bind::<Text, _>(project.as_str())
            .bind::<Array<BigInt>, _>(given.iter().map(|(user, ..)| user.0).collect::<Vec<_>>())
            .bind::<Array<BigInt>, _>(given.iter().map(|(_, role, _)| role.0).collect::<Vec<_>>())
            .bind::<Array<UtcTime>, _>(given.iter().map(|(.., at)| DbTime::from(*at)).collect::<Vec<_>>())
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Replaces all memberships of a project, if they are those before. No other transaction changes memberships meanwhile.
pub(crate) async fn replace_all(
    connection: &mut Connection,
    lock: &EventLogLock,
    change: &MembersChange,
) -> Result<(), DbError> {
    let MembersChange { project, before, after, at } = change;
    let held: Vec<(i64, i64)> = queries::holdings_in(project.as_str()).load(connection).await?;
    let held: Holdings = held.into_iter().map(|(user, role)| (UserId(user), RoleId(role))).collect();
    if held != *before {
        return Err(stale(Entity::Project(project.clone())));
    }
    let (users, roles): (Vec<_>, Vec<_>) =
        before.difference(after).map(|(user, role)| (user.0, role.0)).unzip();
    if !users.is_empty() {
        sql_query(TAKE_EACH)
            .bind::<Text, _>(project.as_str())
            .bind::<Array<BigInt>, _>(users)
            .bind::<Array<BigInt>, _>(roles)
            .execute(connection)
            .await?;
    }
    let given: Vec<_> = after.difference(before).map(|(user, role)| (*user, *role, *at)).collect();
    give_each(connection, lock, project, &given).await
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
