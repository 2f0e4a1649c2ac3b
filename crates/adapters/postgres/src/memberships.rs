//! Statements on memberships: the roles that users hold in projects, and the grants that follow.

#![expect(
    clippy::elidable_lifetime_names,
    reason = "`auto_type` writes the lifetime into the type that it makes"
)]

use diesel::{
    ExpressionMethods, QueryDsl, SelectableHelper, delete,
    dsl::{AsSelect, auto_type},
    pg::Pg,
    sql_query,
    sql_types::{Array, BigInt, Text},
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{EventId, Grants, NewEvent, RoleId, UserId};
use latchkey_ports::{Entity, Memberships};
use latchkey_sql::{
    columns::{DbTime, UtcTime},
    errors::{DbError, conflict, not_found},
    rows::{self, GrantRow, MembershipRow},
    schema::{memberships, user_grants, users},
};

use crate::{
    connection::Connection,
    events::record,
    locks::{EventLogLock, lock_event_log, lock_project, lock_roles, lock_users},
};

/// Gives each of the users each of the roles. Two arrays, because so many binds as there are pairs have no room.
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

/// Holds the project, the roles and the users, and says which of them is not there, in the order that the port demands.
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

type ShownMembership = AsSelect<MembershipRow, Pg>;

/// Those who hold roles in a project, by user, then role.
#[auto_type]
pub(crate) fn members_of<'a>(project: &'a str) -> _ {
    let row: ShownMembership = MembershipRow::as_select();
    memberships::table
        .inner_join(users::table)
        .filter(memberships::project_id.eq(project))
        .order((memberships::user_id, memberships::role_id))
        .select(row)
}

/// All that this user may do; nothing for an unknown one. One statement, so one state of the store.
pub(crate) async fn grants(connection: &mut Connection, user: UserId) -> Result<Grants, DbError> {
    let rows = user_grants::table
        .filter(user_grants::user_id.eq(user.0))
        .select(GrantRow::as_select())
        .load(connection)
        .await?;
    Ok(rows::grants(rows)?)
}
