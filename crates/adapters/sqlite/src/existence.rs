//! Checks that the rows that a statement refers to exist.

use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper, SqliteConnection,
    dsl::exists, select,
};
use latchkey_domain::{EnvironmentName, GroupId, ProjectId, RoleId, TokenId, UserId};
use latchkey_ports::Entity;
use latchkey_sql::{
    columns::DbId,
    errors::{DbError, not_found},
    rows::RoleRow,
    schema::{api_tokens, environments, projects, roles, user_groups, users},
};

/// Returns whether there is a project with this id.
pub(crate) fn project_exists(connection: &mut SqliteConnection, id: &ProjectId) -> Result<bool, DbError> {
    let project = projects::table.filter(projects::id.eq(id.as_str()));
    Ok(select(exists(project)).get_result(connection)?)
}

/// Fails if there is no project with this id.
pub(crate) fn check_project(connection: &mut SqliteConnection, id: &ProjectId) -> Result<(), DbError> {
    if project_exists(connection, id)? { Ok(()) } else { Err(not_found(Entity::Project(id.clone()))) }
}

/// Fails if there is no token with this id.
pub(crate) fn check_token(connection: &mut SqliteConnection, id: TokenId) -> Result<(), DbError> {
    let token = api_tokens::table.filter(api_tokens::id.eq(DbId::from(id)));
    let is_there: bool = select(exists(token)).get_result(connection)?;
    if is_there { Ok(()) } else { Err(not_found(Entity::Token(id))) }
}

/// Returns whether there is an environment with this name.
pub(crate) fn environment_exists(
    connection: &mut SqliteConnection,
    name: &EnvironmentName,
) -> Result<bool, DbError> {
    let environment = environments::table.filter(environments::name.eq(name.as_str()));
    Ok(select(exists(environment)).get_result(connection)?)
}

/// Fails if there is no environment with this name.
pub(crate) fn check_environment(
    connection: &mut SqliteConnection,
    name: &EnvironmentName,
) -> Result<(), DbError> {
    if environment_exists(connection, name)? {
        Ok(())
    } else {
        Err(not_found(Entity::Environment(name.clone())))
    }
}

/// Fails if there is no such role, or if it is not for the whole instance (or for projects, without `of_instance`).
pub(crate) fn check_role(
    connection: &mut SqliteConnection,
    id: RoleId,
    of_instance: bool,
) -> Result<(), DbError> {
    let row: Option<RoleRow> =
        roles::table.find(id.0).select(RoleRow::as_select()).first(connection).optional()?;
    match row.map(RoleRow::id_and_kind).transpose()? {
        Some((_, kind)) if kind.is_root() == of_instance => Ok(()),
        _ => Err(not_found(Entity::Role(id))),
    }
}

/// Fails if there is no group with this id.
pub(crate) fn check_group(connection: &mut SqliteConnection, id: GroupId) -> Result<(), DbError> {
    let group = user_groups::table.find(id.0).select(user_groups::id);
    let found: Option<i64> = group.first(connection).optional()?;
    if found.is_some() { Ok(()) } else { Err(not_found(Entity::Group(id))) }
}

/// Returns whether there is a user with this id.
pub(crate) fn user_exists(connection: &mut SqliteConnection, id: UserId) -> Result<bool, DbError> {
    let found: Option<i64> = users::table.find(id.0).select(users::id).first(connection).optional()?;
    Ok(found.is_some())
}

/// Fails if there is no user with this id.
pub(crate) fn check_user(connection: &mut SqliteConnection, id: UserId) -> Result<(), DbError> {
    if user_exists(connection, id)? { Ok(()) } else { Err(not_found(Entity::User(id))) }
}
