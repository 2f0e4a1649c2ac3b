//! Projects: making them.

use std::sync::Arc;

use latchkey_domain::{
    EventKind, NewEvent, Project, ProjectDescription, ProjectId, ProjectName, ProjectScope, Snapshot,
};
use latchkey_ports::{Clock, ProjectRepository};

use crate::{Initiator, Refusal};

/// The use cases.
pub struct Projects {
    projects: Arc<dyn ProjectRepository>,
    clock: Arc<dyn Clock>,
}

impl Projects {
    /// The use cases over these ports.
    #[must_use]
    pub fn new(projects: Arc<dyn ProjectRepository>, clock: Arc<dyn Clock>) -> Self {
        Self { projects, clock }
    }

    /// Creates a project.
    ///
    /// # Errors
    /// [`Refusal::Exists`] where the id is taken; [`Refusal::Unavailable`].
    pub async fn create(
        &self,
        id: ProjectId,
        name: ProjectName,
        description: ProjectDescription,
        by: &Initiator,
    ) -> Result<Project, Refusal> {
        let created_at = self.clock.now();
        let project = Project { id, name, description, created_at, archived_at: None };
        let event = NewEvent {
            kind: EventKind::ProjectCreated,
            actor: by.actor.clone(),
            origin: by.origin.clone(),
            at: created_at,
            projects: Some(ProjectScope::one(project.id.clone())),
            environment: None,
            before: None,
            after: Some(Snapshot::from(&project)),
        };
        self.projects.create_project(&project, &event).await?;
        Ok(project)
    }
}
