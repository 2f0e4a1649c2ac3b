//! What a store holds before anybody has used it. SQL stores get it from their first migration, the memory store
//! from here; the conformance suite compares.

use latchkey_domain::{
    Environment, EnvironmentKind, EnvironmentName, InvalidName, Project, ProjectDescription, ProjectId,
    ProjectMode, ProjectName, Role, RoleId, Timestamp,
};

/// Ids of roles up to this one are kept for those that are built in.
pub const MAX_BUILT_IN_ROLE_ID: RoleId = RoleId(99);

/// The built-in roles.
#[must_use]
pub fn roles() -> [Role; 5] {
    Role::built_in()
}

/// The project `default`, created at that moment (when the store was made). Both environments are in it.
///
/// # Errors
/// Never in fact: its names are good ones.
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

/// The environments `development` and `production`, in the order of lists.
///
/// # Errors
/// Never in fact: their names are good ones.
pub fn environments() -> Result<[Environment; 2], InvalidName> {
    let environment = |name: &str, kind, sort_order| {
        Ok(Environment { name: EnvironmentName::new(name)?, kind, sort_order, enabled: true })
    };
    Ok([
        environment("development", EnvironmentKind::Development, 2)?,
        environment("production", EnvironmentKind::Production, 3)?,
    ])
}
