//! Sample values of the domain. A test names only the fields that it is about and takes the others from a sample, so
//! that a new field changes the sample alone: `ApiToken { access, ..api_token(at) }`.
#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "the sample values are valid")]

pub use latchkey_domain::testing::api_token;
use latchkey_domain::{
    Environment, EnvironmentKind, EnvironmentName, EnvironmentScope, Project, ProjectDescription, ProjectId,
    ProjectMode, ProjectName, ProjectScope, ProjectSet, Timestamp, TokenAccess, TokenKind,
};

/// Returns the time that many milliseconds after 1970-01-01T00:00:00Z.
pub fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("in range")
}

/// Returns the id of a project.
pub fn project_id(id: &str) -> ProjectId {
    ProjectId::new(id).expect("an id")
}

/// Returns the name of an environment.
pub fn environment_name(name: &str) -> EnvironmentName {
    EnvironmentName::new(name).expect("a name")
}

/// Returns the scope of these projects, in this order.
pub fn projects(ids: &[&str]) -> ProjectScope {
    ProjectScope::Only(ProjectSet::new(ids.iter().map(|id| project_id(id))).expect("some project"))
}

/// Returns the access of a client or frontend token of these projects in `development`.
pub fn access(kind: TokenKind, projects: ProjectScope) -> TokenAccess {
    let environment = EnvironmentScope::Only(environment_name("development"));
    TokenAccess::new(kind, projects, environment).expect("a client or frontend token")
}

/// Returns an open project that is named as its id.
pub fn project(id: &str, created_at: Timestamp) -> Project {
    Project {
        id: project_id(id),
        name: ProjectName::new(id).expect("a name"),
        description: ProjectDescription::new("").expect("empty"),
        mode: ProjectMode::Open,
        created_at,
        updated_at: created_at,
        archived_at: None,
    }
}

/// Returns an environment for tests that is enabled.
pub fn environment(name: &str) -> Environment {
    Environment { name: environment_name(name), kind: EnvironmentKind::Test, sort_order: 100, enabled: true }
}
