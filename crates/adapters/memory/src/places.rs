//! Projects and environments.

use async_trait::async_trait;
use latchkey_domain::{Environment, EnvironmentName, EventId, NewEvent, Project, ProjectId};
use latchkey_ports::{Entity, EnvironmentRepository, ProjectRepository, StoreError};

use crate::MemoryStore;

#[async_trait]
impl ProjectRepository for MemoryStore {
    async fn create_project(&self, project: &Project, event: &NewEvent) -> Result<EventId, StoreError> {
        let mut state = self.state();
        if state.projects.contains_key(&project.id) {
            return Err(StoreError::Conflict(Entity::Project(project.id.clone())));
        }
        state.projects.insert(project.id.clone(), project.clone());
        Ok(state.record(event.clone()))
    }

    async fn find_project(&self, id: &ProjectId) -> Result<Option<Project>, StoreError> {
        Ok(self.state().projects.get(id).cloned())
    }

    async fn projects(&self) -> Result<Vec<Project>, StoreError> {
        Ok(self.state().projects.values().cloned().collect())
    }
}

#[async_trait]
impl EnvironmentRepository for MemoryStore {
    async fn find_environment(&self, name: &EnvironmentName) -> Result<Option<Environment>, StoreError> {
        Ok(self.state().environments.get(name).cloned())
    }

    async fn environments(&self) -> Result<Vec<Environment>, StoreError> {
        let mut environments: Vec<_> = self.state().environments.values().cloned().collect();
        // They come by name, and the sort is stable.
        environments.sort_by_key(|environment| environment.sort_order);
        Ok(environments)
    }
}
