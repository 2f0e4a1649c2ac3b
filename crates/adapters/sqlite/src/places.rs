//! Whether places are there: what the ports of places, tokens and roles ask before they write.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, SqliteConnection, dsl::exists, select};
use latchkey_domain::{EnvironmentName, ProjectId};
use latchkey_ports::Entity;

use crate::{
    errors::{Failure, not_found},
    schema::{environments, projects},
};

/// Whether there is a project of this id.
pub(crate) fn project_exists(connection: &mut SqliteConnection, id: &ProjectId) -> Result<bool, Failure> {
    let project = projects::table.filter(projects::id.eq(id.as_str()));
    Ok(select(exists(project)).get_result(connection)?)
}

/// Whether there is an environment of this name.
pub(crate) fn environment_exists(
    connection: &mut SqliteConnection,
    name: &EnvironmentName,
) -> Result<bool, Failure> {
    let environment = environments::table.filter(environments::name.eq(name.as_str()));
    Ok(select(exists(environment)).get_result(connection)?)
}

/// That there is a project of this id.
pub(crate) fn check_project(connection: &mut SqliteConnection, id: &ProjectId) -> Result<(), Failure> {
    if project_exists(connection, id)? { Ok(()) } else { Err(not_found(Entity::Project(id.clone()))) }
}

/// That there is an environment of this name.
pub(crate) fn check_environment(
    connection: &mut SqliteConnection,
    name: &EnvironmentName,
) -> Result<(), Failure> {
    if environment_exists(connection, name)? {
        Ok(())
    } else {
        Err(not_found(Entity::Environment(name.clone())))
    }
}
