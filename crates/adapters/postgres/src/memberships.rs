//! Statements on memberships: the roles that users and groups hold in projects, and the grants that follow.

use diesel::{
    ExpressionMethods, QueryDsl, delete, sql_query,
    sql_types::{Array, BigInt, Text},
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{Grants, Holder, ProjectId, RoleId, Timestamp, UserId};
use latchkey_ports::{Entity, MembersChange, Memberships};
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

/// The statements on the roles of one kind of holder. Arrays, because a statement has no room for a bind per pair.
struct Statements {
    /// Gives each holder ($3) each role ($4) in the project ($1), from a time ($2) on.
    give: &'static str,
    /// Gives each holder ($2) the role beside it ($3), from the time beside it ($4) on.
    give_each: &'static str,
    /// Takes from each holder ($2) the role beside it ($3).
    take_each: &'static str,
}

macro_rules! statements {
    ($table:literal, $holder:literal) => {
        Statements {
            give: concat!(
                "INSERT INTO ", $table, " (", $holder, ", project_id, role_id, added_at) ",
                "SELECT holder, $1, role, $2 FROM unnest($3) AS holder, unnest($4) AS role ON CONFLICT DO NOTHING"
            ),
            give_each: concat!(
                "INSERT INTO ", $table, " (", $holder, ", project_id, role_id, added_at) ",
                "SELECT holder, $1, role, since FROM unnest($2, $3, $4) AS given (holder, role, since) ",
                "ON CONFLICT DO NOTHING"
            ),
            take_each: concat!(
                "DELETE FROM ", $table, " AS held USING unnest($2, $3) AS taken (holder, role) ",
                "WHERE held.project_id = $1 AND held.", $holder, " = taken.holder AND held.role_id = taken.role"
            ),
        }
    };
}

const OF_USERS: Statements = statements!("memberships", "user_id");
const OF_GROUPS: Statements = statements!("group_roles", "group_id");

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
    for (of, holders) in [
        (OF_USERS, wanted.users.iter().map(|user| user.0).collect::<Vec<_>>()),
        (OF_GROUPS, wanted.groups.iter().map(|group| group.0).collect()),
    ] {
        if !holders.is_empty() {
            given += sql_query(of.give)
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

/// Gives each holder one role in the project, from a time on. A role that is held already stays as it is.
pub(crate) async fn give_each(
    connection: &mut Connection,
    _lock: &EventLogLock,
    project: &ProjectId,
    given: impl IntoIterator<Item = (Holder, RoleId, Timestamp)>,
) -> Result<(), DbError> {
    let (mut to_users, mut to_groups) = (Vec::new(), Vec::new());
    for (holder, role, since) in given {
        match holder {
            Holder::User(id) => to_users.push((id.0, role.0, DbTime::from(since))),
            Holder::Group(id) => to_groups.push((id.0, role.0, DbTime::from(since))),
        }
    }
    for (of, given) in [(OF_USERS, to_users), (OF_GROUPS, to_groups)] {
        if !given.is_empty() {
            sql_query(of.give_each)
                .bind::<Text, _>(project.as_str())
                .bind::<Array<BigInt>, _>(given.iter().map(|(holder, ..)| *holder).collect::<Vec<_>>())
                .bind::<Array<BigInt>, _>(given.iter().map(|(_, role, _)| *role).collect::<Vec<_>>())
                .bind::<Array<UtcTime>, _>(given.into_iter().map(|(.., since)| since).collect::<Vec<_>>())
                .execute(connection)
                .await?;
        }
    }
    Ok(())
}

/// Takes from each holder one role in the project.
async fn take_each(
    connection: &mut Connection,
    project: &ProjectId,
    taken: impl IntoIterator<Item = &(Holder, RoleId)>,
) -> Result<(), DbError> {
    let (mut from_users, mut from_groups) = (Vec::new(), Vec::new());
    for (holder, role) in taken {
        match holder {
            Holder::User(id) => from_users.push((id.0, role.0)),
            Holder::Group(id) => from_groups.push((id.0, role.0)),
        }
    }
    for (of, taken) in [(OF_USERS, from_users), (OF_GROUPS, from_groups)] {
        if !taken.is_empty() {
            let (holders, roles): (Vec<i64>, Vec<i64>) = taken.into_iter().unzip();
            sql_query(of.take_each)
                .bind::<Text, _>(project.as_str())
                .bind::<Array<BigInt>, _>(holders)
                .bind::<Array<BigInt>, _>(roles)
                .execute(connection)
                .await?;
        }
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
    let of_users: Vec<(i64, i64)> = queries::holdings_in(project.as_str()).load(connection).await?;
    let of_groups: Vec<(i64, i64)> = queries::group_holdings_in(project.as_str()).load(connection).await?;
    if rows::holdings(of_users, of_groups) != *before {
        return Err(stale(Entity::Project(project.clone())));
    }
    take_each(connection, project, before.difference(after)).await?;
    let given = after.difference(before).map(|(holder, role)| (*holder, *role, *at));
    give_each(connection, lock, project, given).await
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
