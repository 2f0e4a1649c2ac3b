//! Where projects and environments are kept.

use async_trait::async_trait;
use latchkey_domain::{Environment, EnvironmentName, EventId, NewEvent, Project, ProjectId};

use crate::StoreError;

/// The projects.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ProjectRepository: Send + Sync {
    /// Keeps a new project, with its event.
    ///
    /// # Errors
    /// `Conflict` where the id is taken; `Unavailable`.
    async fn create_project(&self, project: &Project, event: &NewEvent) -> Result<EventId, StoreError>;

    /// The project of this id, archived or not.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_project(&self, id: &ProjectId) -> Result<Option<Project>, StoreError>;

    /// Every project, by id.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn projects(&self) -> Result<Vec<Project>, StoreError>;
}

/// The environments.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait EnvironmentRepository: Send + Sync {
    /// The environment of this name.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_environment(&self, name: &EnvironmentName) -> Result<Option<Environment>, StoreError>;

    /// Every environment, by sort order, then name.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn environments(&self) -> Result<Vec<Environment>, StoreError>;
}
