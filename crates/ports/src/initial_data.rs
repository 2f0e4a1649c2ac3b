//! The content of a new store. SQL stores get it from their first migration, the memory store from here; the
//! conformance suite compares the two.

use latchkey_domain::{
    Environment, EnvironmentKind, EnvironmentName, InvalidName, Project, ProjectDescription, ProjectId,
    ProjectMode, ProjectName, Role, RoleId, Timestamp,
};

/// The largest id reserved for built-in roles.
pub const MAX_BUILT_IN_ROLE_ID: RoleId = RoleId(99);

/// Returns the built-in roles.
pub fn roles() -> [Role; 5] {
    Role::built_in()
}

/// Returns the project `default`, created at that moment. Both environments are in it.
///
/// # Errors
/// Never: its names are valid.
pub fn project(created_at: Timestamp) -> Result<Project, InvalidName> {
    Ok(Project {
        id: ProjectId::new(Project::DEFAULT)?,
        name: ProjectName::new("Default")?,
        description: ProjectDescription::new("Default project")?,
        mode: ProjectMode::Open,
        created_at,
        updated_at: created_at,
        archived_at: None,
    })
}

/// Returns the environments `development` and `production`, in the order of lists.
///
/// # Errors
/// Never: their names are valid.
pub fn environments() -> Result<[Environment; 2], InvalidName> {
    let environment = |name: &str, kind, sort_order| {
        Ok(Environment { name: EnvironmentName::new(name)?, kind, sort_order, enabled: true })
    };
    Ok([
        environment("development", EnvironmentKind::Development, 2)?,
        environment("production", EnvironmentKind::Production, 3)?,
    ])
}
