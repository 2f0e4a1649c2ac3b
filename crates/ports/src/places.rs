//! The repositories of projects and environments.

use std::collections::BTreeMap;

use async_trait::async_trait;
use latchkey_domain::{
    Environment, EnvironmentName, EnvironmentRemoval, EventId, NewEvent, Project, ProjectId, ProjectRemoval,
    UserId,
};
use latchkey_port_macros::observed;

use crate::{ProjectQuery, StoreError};

/// A project with the counts that lists show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectOverview {
    pub project: Project,
    /// The number of users with a role in it.
    pub members: u64,
    /// The number of tokens that name it.
    pub tokens: u64,
    /// Its environments, by sort order, then name.
    pub environments: Vec<EnvironmentName>,
}

/// An environment with the counts that lists show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentOverview {
    pub environment: Environment,
    pub projects: u64,
    /// The number of tokens that work in it.
    pub tokens: u64,
}

/// The projects.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ProjectRepository: Send + Sync {
    /// Creates a project with its environments, with its event. An owner is given the role Owner in it.
    ///
    /// # Errors
    /// `Conflict` if the id is taken; `NotFound` with the first unknown environment, then with the owner (in this
    /// order).
    async fn create_project(
        &self,
        project: &Project,
        environments: &[EnvironmentName],
        owner: Option<UserId>,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Returns the project of this id, archived or not.
    async fn find_project(&self, id: &ProjectId) -> Result<Option<Project>, StoreError>;

    /// Returns the project of this id, archived or not, with its counts.
    async fn project_overview(&self, id: &ProjectId) -> Result<Option<ProjectOverview>, StoreError>;

    /// Returns the projects of a query, by id. The cost of a page does not depend on the number of projects and tokens.
    async fn projects(&self, query: &ProjectQuery) -> Result<Vec<ProjectOverview>, StoreError>;

    /// Replaces `before` with `after`, which has the same id, with the event.
    ///
    /// # Errors
    /// `NotFound`; `Stale` if the stored one is not `before`.
    async fn update_project(
        &self,
        before: &Project,
        after: &Project,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Removes a project with its memberships and environments. [`ProjectRemoval::outcome_of`] is applied to each token
    /// that names it, each with its event; the event of the removal comes last. No token can be created in it in the
    /// meantime.
    ///
    /// # Errors
    /// `NotFound`.
    async fn delete_project(&self, removal: &ProjectRemoval) -> Result<EventId, StoreError>;
}

/// The environments, and the projects that they are in.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait EnvironmentRepository: Send + Sync {
    /// Creates an environment, in no project, with its event.
    ///
    /// # Errors
    /// `Conflict` if the name is taken.
    async fn create_environment(
        &self,
        environment: &Environment,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Returns the environment of this name.
    async fn find_environment(&self, name: &EnvironmentName) -> Result<Option<Environment>, StoreError>;

    /// Returns every environment with its counts, by sort order, then name. The cost does not depend on the number of
    /// tokens.
    async fn environments(&self) -> Result<Vec<EnvironmentOverview>, StoreError>;

    /// Returns by environment how many tokens work in the project: those that name it, and those of all projects. An
    /// environment without such a token may be absent; of an unknown project, the tokens of all projects are counted.
    async fn tokens_in_project(
        &self,
        project: &ProjectId,
    ) -> Result<BTreeMap<EnvironmentName, u64>, StoreError>;

    /// Replaces `before` with `after`, which has the same name, with the event.
    ///
    /// # Errors
    /// `NotFound`; `Stale` if the stored one is not `before`.
    async fn update_environment(
        &self,
        before: &Environment,
        after: &Environment,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Sets the sort order of environments, with one event.
    ///
    /// # Errors
    /// `NotFound` with the first unknown one.
    async fn sort_environments(
        &self,
        orders: &[(EnvironmentName, i32)],
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Removes an environment from the instance and from all projects. [`EnvironmentRemoval::outcome_of`] is applied to
    /// each token that works in it, each with its event; the event of the removal comes last. No token can be created
    /// in it in the meantime.
    ///
    /// # Errors
    /// `NotFound`.
    async fn delete_environment(&self, removal: &EnvironmentRemoval) -> Result<EventId, StoreError>;

    /// Adds an environment to a project, with the event.
    ///
    /// # Errors
    /// `NotFound` for the project, then for the environment; `Conflict` with the environment if it is in the
    /// project.
    async fn add_project_environment(
        &self,
        project: &ProjectId,
        environment: &EnvironmentName,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Removes an environment from a project, with the event. Tokens are not changed.
    ///
    /// # Errors
    /// `NotFound` for the project, then for an environment that is not in it.
    async fn remove_project_environment(
        &self,
        project: &ProjectId,
        environment: &EnvironmentName,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;
}
