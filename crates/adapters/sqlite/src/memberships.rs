//! Statements on memberships: the roles that users and groups hold in projects, and the grants that follow.

use diesel::{
    ExpressionMethods, QueryDsl, RunQueryDsl, SqliteConnection, delete, insert_into, insert_or_ignore_into,
};
use latchkey_domain::{Grants, GroupId, Holder, ProjectId, RoleId, Timestamp, UserId};
use latchkey_ports::{Entity, MembersChange, Memberships};
use latchkey_sql::{
    errors::{DbError, stale},
    queries,
    rows::{self, NewGroupRoleRow, NewMembershipRow},
    schema::{group_roles, memberships},
};

use crate::existence::{check_group, check_project, check_role, check_user};

/// Fails if a user, a group, the project or a role does not exist, or if a role is not for projects.
pub(crate) fn check_all(connection: &mut SqliteConnection, wanted: &Memberships) -> Result<(), DbError> {
    for user in &wanted.users {
        check_user(connection, *user)?;
    }
    for group in &wanted.groups {
        check_group(connection, *group)?;
    }
    check_project(connection, &wanted.project)?;
    wanted.roles.iter().try_for_each(|role| check_role(connection, *role, false))
}

/// Gives each user and each group each role; returns whether any was not held before.
pub(crate) fn give(connection: &mut SqliteConnection, wanted: &Memberships) -> Result<bool, DbError> {
    let users = wanted.users.iter().map(|user| Holder::User(*user));
    let holders: Vec<Holder> = users.chain(wanted.groups.iter().map(|group| Holder::Group(*group))).collect();
    let mut given = false;
    for role in &wanted.roles {
        for holder in &holders {
            given |= give_one(connection, *holder, &wanted.project, *role, wanted.at)?;
        }
    }
    Ok(given)
}

/// Gives a user or a group a role from a time on; returns whether it was not held before.
pub(crate) fn give_one(
    connection: &mut SqliteConnection,
    holder: Holder,
    project: &ProjectId,
    role: RoleId,
    at: Timestamp,
) -> Result<bool, DbError> {
    let given = match holder {
        Holder::User(id) => insert_or_ignore_into(memberships::table)
            .values(NewMembershipRow::new(id, project, role, at))
            .execute(connection)?,
        Holder::Group(id) => insert_or_ignore_into(group_roles::table)
            .values(NewGroupRoleRow::new(id, project, role, at))
            .execute(connection)?,
    };
    Ok(given > 0)
}

/// Takes from each user and each group all other roles in the project.
pub(crate) fn take_all_but(connection: &mut SqliteConnection, wanted: &Memberships) -> Result<(), DbError> {
    for user in &wanted.users {
        let others = memberships::table
            .filter(memberships::user_id.eq(user.0))
            .filter(memberships::project_id.eq(wanted.project.as_str()))
            .filter(memberships::role_id.ne_all(wanted.roles.iter().map(|role| role.0)));
        delete(others).execute(connection)?;
    }
    for group in &wanted.groups {
        let others = group_roles::table
            .filter(group_roles::group_id.eq(group.0))
            .filter(group_roles::project_id.eq(wanted.project.as_str()))
            .filter(group_roles::role_id.ne_all(wanted.roles.iter().map(|role| role.0)));
        delete(others).execute(connection)?;
    }
    Ok(())
}

/// Replaces all memberships of a project, if they are those before.
pub(crate) fn replace_all(connection: &mut SqliteConnection, change: &MembersChange) -> Result<(), DbError> {
    let MembersChange { project, before, after, at } = change;
    check_all(connection, &change.references())?;
    let of_users: Vec<(i64, i64)> = queries::holdings_in(project.as_str()).load(connection)?;
    let of_groups: Vec<(i64, i64)> = queries::group_holdings_in(project.as_str()).load(connection)?;
    if rows::holdings(of_users, of_groups) != *before {
        return Err(stale(Entity::Project(project.clone())));
    }
    for (holder, role) in before.difference(after) {
        match holder {
            Holder::User(UserId(id)) => {
                delete(memberships::table.find((id, project.as_str(), role.0))).execute(connection)?
            }
            Holder::Group(GroupId(id)) => {
                delete(group_roles::table.find((id, project.as_str(), role.0))).execute(connection)?
            }
        };
    }
    for (holder, role) in after.difference(before) {
        match holder {
            Holder::User(id) => insert_into(memberships::table)
                .values(NewMembershipRow::new(*id, project, *role, *at))
                .execute(connection)?,
            Holder::Group(id) => insert_into(group_roles::table)
                .values(NewGroupRoleRow::new(*id, project, *role, *at))
                .execute(connection)?,
        };
    }
    Ok(())
}

/// Reads the grants of a user; none for an unknown one.
pub(crate) fn grants(connection: &mut SqliteConnection, user: UserId) -> Result<Grants, DbError> {
    Ok(rows::grants(queries::grants_of(user.0).load(connection)?)?)
}
