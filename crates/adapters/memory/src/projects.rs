//! Projects.

use std::collections::BTreeSet;

use async_trait::async_trait;
use latchkey_domain::{
    EnvironmentName, EventId, NewEvent, Project, ProjectId, ProjectRemoval, Role, TokenId, UserId,
};
use latchkey_ports::{Entity, ProjectOverview, ProjectQuery, ProjectRepository, StoreError};

use crate::{
    MemoryStore,
    state::{State, count, page_of},
};

impl State {
    fn overview_of_project(&self, project: &Project) -> ProjectOverview {
        let held = self.memberships.keys().filter(|(_, project_id, _)| *project_id == project.id);
        let members: BTreeSet<UserId> = held.map(|(user, _, _)| *user).collect();
        ProjectOverview {
            members: count(members.iter()),
            tokens: count(self.ids_of_project(&project.id)),
            environments: self.environments_in(&project.id),
            project: project.clone(),
        }
    }

    fn environments_in(&self, project: &ProjectId) -> Vec<EnvironmentName> {
        let sorted = self.environments_sorted().into_iter().map(|environment| &environment.name);
        let is_member =
            |name: &&EnvironmentName| self.project_environments.contains(&(project.clone(), (*name).clone()));
        sorted.filter(is_member).cloned().collect()
    }
}

#[async_trait]
impl ProjectRepository for MemoryStore {
    async fn create_project(
        &self,
        project: &Project,
        environments: &[EnvironmentName],
        owner: Option<UserId>,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        if state.projects.contains_key(&project.id) {
            return Err(StoreError::Conflict(Entity::Project(project.id.clone())));
        }
        environments.iter().try_for_each(|name| state.environment(name).map(|_| ()))?;
        if let Some(owner) = owner {
            state.user(owner)?;
            state.memberships.insert((owner, project.id.clone(), Role::OWNER), project.created_at);
        }
        let members = environments.iter().map(|name| (project.id.clone(), name.clone()));
        state.project_environments.extend(members);
        state.projects.insert(project.id.clone(), project.clone());
        Ok(state.record(event.clone()))
    }

    async fn find_project(&self, id: &ProjectId) -> Result<Option<Project>, StoreError> {
        Ok(self.state().projects.get(id).cloned())
    }

    async fn project_overview(&self, id: &ProjectId) -> Result<Option<ProjectOverview>, StoreError> {
        let state = self.state();
        Ok(state.projects.get(id).map(|project| state.overview_of_project(project)))
    }

    async fn projects(&self, query: &ProjectQuery) -> Result<Vec<ProjectOverview>, StoreError> {
        let state = self.state();
        let matching = state
            .projects
            .values()
            .filter(|project| project.archived_at.is_some() == query.archived)
            .filter(|project| query.visibility.shows(project));
        let page = page_of(matching, query.page);
        Ok(page.into_iter().map(|project| state.overview_of_project(project)).collect())
    }

    async fn update_project(
        &self,
        before: &Project,
        after: &Project,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        if state.project(&before.id)? != before {
            return Err(StoreError::Stale(Entity::Project(before.id.clone())));
        }
        state.projects.insert(before.id.clone(), after.clone());
        Ok(state.record(event.clone()))
    }

    async fn delete_project(&self, removal: &ProjectRemoval) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.project(&removal.project)?;
        let ids: Vec<TokenId> = state.ids_of_project(&removal.project).collect();
        for id in ids {
            let outcome = removal.outcome_of(&state.stored_token(id)?.token);
            state.apply_outcome(id, outcome);
        }
        state.memberships.retain(|(_, project, _), _| *project != removal.project);
        state.group_roles.retain(|(_, project, _), _| *project != removal.project);
        state.project_environments.retain(|(project, _)| *project != removal.project);
        state.policies.remove(&removal.project);
        state.projects.remove(&removal.project);
        Ok(state.record(removal.event.clone()))
    }
}
