//! Where projects and environments are kept.

use async_trait::async_trait;
use latchkey_domain::{
    Environment, EnvironmentName, EnvironmentRemoval, EventId, NewEvent, Project, ProjectId, ProjectRemoval,
    UserId,
};

use crate::{ProjectQuery, StoreError};

/// A project with what lists say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectOverview {
    /// The project.
    pub project: Project,
    /// How many users hold a role in it.
    pub members: u64,
    /// How many tokens name it.
    pub tokens: u64,
    /// Its environments, by sort order, then name.
    pub environments: Vec<EnvironmentName>,
}

/// An environment with what lists say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentOverview {
    /// The environment.
    pub environment: Environment,
    /// In how many projects it is.
    pub projects: u64,
    /// How many tokens work in it.
    pub tokens: u64,
}

/// The projects.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ProjectRepository: Send + Sync {
    /// Keeps a new project with its environments, with its event. With an owner, who gets the role Owner in it.
    ///
    /// # Errors
    /// `Conflict` where the id is taken; `NotFound` with the first unknown environment, then with the owner (in this
    /// order); `Unavailable`.
    async fn create_project(
        &self,
        project: &Project,
        environments: &[EnvironmentName],
        owner: Option<UserId>,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// The project of this id, archived or not.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_project(&self, id: &ProjectId) -> Result<Option<Project>, StoreError>;

    /// The project of this id, archived or not, with what lists say about it.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn project_overview(&self, id: &ProjectId) -> Result<Option<ProjectOverview>, StoreError>;

    /// The projects asked for, by id. A page costs the same however many projects and tokens there are.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn projects(&self, query: &ProjectQuery) -> Result<Vec<ProjectOverview>, StoreError>;

    /// Puts `after` in the place of `before`, which has the same id, with the event.
    ///
    /// # Errors
    /// `NotFound`; `Stale` where what is kept is not `before` any more; `Unavailable`; `Inconsistent`.
    async fn update_project(
        &self,
        before: &Project,
        after: &Project,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Removes a project with its memberships and environments. Each token that names it meets the fate that
    /// [`ProjectRemoval::outcome_of`] gives, each with its event; then the removal's own event. No token can be created in
    /// it meanwhile.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable`; `Inconsistent`.
    async fn delete_project(&self, removal: &ProjectRemoval) -> Result<EventId, StoreError>;
}

/// The environments, and in which projects they are.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait EnvironmentRepository: Send + Sync {
    /// Keeps a new environment, in no project, with its event.
    ///
    /// # Errors
    /// `Conflict` where the name is taken; `Unavailable`.
    async fn create_environment(
        &self,
        environment: &Environment,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// The environment of this name.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_environment(&self, name: &EnvironmentName) -> Result<Option<Environment>, StoreError>;

    /// Every environment with what lists say about it, by sort order, then name. Costs the same however many tokens
    /// there are.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn environments(&self) -> Result<Vec<EnvironmentOverview>, StoreError>;

    /// Puts `after` in the place of `before`, which has the same name, with the event.
    ///
    /// # Errors
    /// `NotFound`; `Stale` where what is kept is not `before` any more; `Unavailable`; `Inconsistent`.
    async fn update_environment(
        &self,
        before: &Environment,
        after: &Environment,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Gives environments these places in lists, with one event.
    ///
    /// # Errors
    /// `NotFound` with the first that is not there; `Unavailable`.
    async fn sort_environments(
        &self,
        orders: &[(EnvironmentName, i32)],
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Removes an environment from the instance and from all projects. Each token that works in it meets the fate that
    /// [`EnvironmentRemoval::outcome_of`] gives, each with its event; then the removal's own event. No token can be created
    /// in it meanwhile.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable`; `Inconsistent`.
    async fn delete_environment(&self, removal: &EnvironmentRemoval) -> Result<EventId, StoreError>;

    /// Adds an environment to a project, with the event.
    ///
    /// # Errors
    /// `NotFound` for the project, then for the environment; `Conflict` with the environment where it is in the
    /// project; `Unavailable`.
    async fn add_project_environment(
        &self,
        project: &ProjectId,
        environment: &EnvironmentName,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Takes an environment out of a project, with the event. Tokens are not touched (reference, chapter 12).
    ///
    /// # Errors
    /// `NotFound` for the project, then for an environment that is not in it; `Unavailable`.
    async fn remove_project_environment(
        &self,
        project: &ProjectId,
        environment: &EnvironmentName,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;
}
