//! Policies of projects.

use std::collections::BTreeMap;

use async_trait::async_trait;
use latchkey_domain::{EventId, NewEvent, Policy, ProjectId};
use latchkey_ports::{Entity, PolicyRepository, StoreError};

use crate::MemoryStore;

#[async_trait]
impl PolicyRepository for MemoryStore {
    async fn policies_of(&self, projects: &[ProjectId]) -> Result<BTreeMap<ProjectId, Policy>, StoreError> {
        let state = self.state();
        let found = projects.iter().filter_map(|id| Some((id.clone(), *state.policies.get(id)?)));
        Ok(found.collect())
    }

    async fn policies(&self) -> Result<BTreeMap<ProjectId, Policy>, StoreError> {
        Ok(self.state().policies.clone())
    }

    async fn set_policy(
        &self,
        project: &ProjectId,
        before: &Policy,
        after: &Policy,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.project(project)?;
        let kept = state.policies.get(project).copied().unwrap_or_default();
        StoreError::check_unchanged(Some(&kept), before, Entity::Project(project.clone()))?;
        if *after == Policy::default() {
            state.policies.remove(project);
        } else {
            state.policies.insert(project.clone(), *after);
        }
        Ok(state.record(event.clone()))
    }
}
