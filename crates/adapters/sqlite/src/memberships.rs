//! Statements on memberships: the roles that users hold in projects, and the grants that follow.

#![expect(clippy::elidable_lifetime_names, reason = "`auto_type` needs names for its types")]

use diesel::{
    ExpressionMethods, JoinOnDsl, QueryDsl, RunQueryDsl, SelectableHelper, SqliteConnection, delete,
    dsl::{AsSelect, auto_type},
    insert_or_ignore_into,
    sqlite::Sqlite,
};
use latchkey_domain::{Grants, UserId};
use latchkey_ports::Memberships;
use latchkey_sql::{
    columns::DbTime,
    errors::DbError,
    rows::{self, GrantRow, MembershipRow},
    schema::{memberships, user_grants, users},
};

use crate::existence::{check_project, check_role, check_user};

type MembershipColumns = AsSelect<MembershipRow, Sqlite>;

/// Selects the memberships of a project, ordered by user, then role.
#[auto_type]
pub(crate) fn members_of<'a>(project: &'a str) -> _ {
    let row: MembershipColumns = MembershipRow::as_select();
    memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(memberships::project_id.eq(project))
        .order((memberships::user_id, memberships::role_id))
        .select(row)
}

/// Fails if a user, the project or a role does not exist, or if a role is not for projects.
pub(crate) fn check_all(connection: &mut SqliteConnection, wanted: &Memberships) -> Result<(), DbError> {
    for user in &wanted.users {
        check_user(connection, *user)?;
    }
    check_project(connection, &wanted.project)?;
    wanted.roles.iter().try_for_each(|role| check_role(connection, *role, false))
}

/// Gives each user each role; returns whether any was not held before.
pub(crate) fn give(connection: &mut SqliteConnection, wanted: &Memberships) -> Result<bool, DbError> {
    let mut given = 0;
    for user in &wanted.users {
        for role in &wanted.roles {
            given += insert_or_ignore_into(memberships::table)
                .values((
                    memberships::user_id.eq(user.0),
                    memberships::project_id.eq(wanted.project.as_str()),
                    memberships::role_id.eq(role.0),
                    memberships::added_at.eq(DbTime::from(wanted.at)),
                ))
                .execute(connection)?;
        }
    }
    Ok(given > 0)
}

/// Takes from each user all other roles in the project.
pub(crate) fn take_all_but(connection: &mut SqliteConnection, wanted: &Memberships) -> Result<(), DbError> {
    for user in &wanted.users {
        let others = memberships::table
            .filter(memberships::user_id.eq(user.0))
            .filter(memberships::project_id.eq(wanted.project.as_str()))
            .filter(memberships::role_id.ne_all(wanted.roles.iter().map(|role| role.0)));
        delete(others).execute(connection)?;
    }
    Ok(())
}

/// Reads the grants of a user; none for an unknown one.
pub(crate) fn grants(connection: &mut SqliteConnection, user: UserId) -> Result<Grants, DbError> {
    let rows = user_grants::table
        .filter(user_grants::user_id.eq(user.0))
        .select(GrantRow::as_select())
        .load(connection)?;
    Ok(rows::grants(rows)?)
}
