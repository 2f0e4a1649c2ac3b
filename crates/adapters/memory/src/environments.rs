//! Environments, and the environments of projects.

use std::collections::BTreeMap;

use async_trait::async_trait;
use latchkey_domain::{
    Environment, EnvironmentName, EnvironmentRemoval, EventId, NewEvent, ProjectId, TokenId,
};
use latchkey_ports::{Entity, EnvironmentOverview, EnvironmentRepository, StoreError};

use crate::{
    MemoryStore,
    state::{State, count},
};

impl State {
    pub(crate) fn environments_sorted(&self) -> Vec<&Environment> {
        let mut environments: Vec<_> = self.environments.values().collect();
        // The map is ordered by name, and the sort is stable.
        environments.sort_by_key(|environment| environment.sort_order);
        environments
    }

    fn ids_in_environment(&self, name: &EnvironmentName) -> impl Iterator<Item = TokenId> {
        let uses_environment = move |id: &TokenId| {
            let token = self.tokens.get(id);
            token.is_some_and(|stored| stored.token.access.environment() == Some(name))
        };
        self.tokens.keys().copied().filter(uses_environment)
    }

    fn overview_of_environment(&self, environment: &Environment) -> EnvironmentOverview {
        let name = &environment.name;
        EnvironmentOverview {
            environment: environment.clone(),
            projects: count(self.project_environments.iter().filter(|(_, member)| member == name)),
            tokens: count(self.ids_in_environment(name)),
        }
    }
}

#[async_trait]
impl EnvironmentRepository for MemoryStore {
    async fn create_environment(
        &self,
        environment: &Environment,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        let name = environment.name.clone();
        if state.environments.contains_key(&name) {
            return Err(StoreError::Conflict(Entity::Environment(name)));
        }
        state.environments.insert(name, environment.clone());
        Ok(state.record(event.clone()))
    }

    async fn find_environment(&self, name: &EnvironmentName) -> Result<Option<Environment>, StoreError> {
        Ok(self.state().environments.get(name).cloned())
    }

    async fn environments(&self) -> Result<Vec<EnvironmentOverview>, StoreError> {
        let state = self.state();
        let sorted = state.environments_sorted();
        Ok(sorted.into_iter().map(|environment| state.overview_of_environment(environment)).collect())
    }

    async fn tokens_in_project(
        &self,
        project: &ProjectId,
    ) -> Result<BTreeMap<EnvironmentName, u64>, StoreError> {
        let state = self.state();
        let mut counts = BTreeMap::new();
        for stored in state.tokens.values() {
            let access = &stored.token.access;
            if let Some(environment) = access.environment().filter(|_| access.projects().covers(project)) {
                *counts.entry(environment.clone()).or_default() += 1;
            }
        }
        Ok(counts)
    }

    async fn update_environment(
        &self,
        before: &Environment,
        after: &Environment,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        if state.environment(&before.name)? != before {
            return Err(StoreError::Stale(Entity::Environment(before.name.clone())));
        }
        state.environments.insert(before.name.clone(), after.clone());
        Ok(state.record(event.clone()))
    }

    async fn sort_environments(
        &self,
        orders: &[(EnvironmentName, i32)],
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        orders.iter().try_for_each(|(name, _)| state.environment(name).map(|_| ()))?;
        for (name, sort_order) in orders {
            if let Some(environment) = state.environments.get_mut(name) {
                environment.sort_order = *sort_order;
            }
        }
        Ok(state.record(event.clone()))
    }

    async fn delete_environment(&self, removal: &EnvironmentRemoval) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.environment(&removal.environment)?;
        let ids: Vec<TokenId> = state.ids_in_environment(&removal.environment).collect();
        for id in ids {
            let outcome = removal.outcome_of(&state.stored_token(id)?.token);
            state.apply_outcome(id, outcome);
        }
        state.project_environments.retain(|(_, name)| *name != removal.environment);
        state.environments.remove(&removal.environment);
        Ok(state.record(removal.event.clone()))
    }

    async fn add_project_environment(
        &self,
        project: &ProjectId,
        environment: &EnvironmentName,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.project(project)?;
        state.environment(environment)?;
        if !state.project_environments.insert((project.clone(), environment.clone())) {
            return Err(StoreError::Conflict(Entity::Environment(environment.clone())));
        }
        Ok(state.record(event.clone()))
    }

    async fn remove_project_environment(
        &self,
        project: &ProjectId,
        environment: &EnvironmentName,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.project(project)?;
        if !state.project_environments.remove(&(project.clone(), environment.clone())) {
            return Err(StoreError::NotFound(Entity::Environment(environment.clone())));
        }
        Ok(state.record(event.clone()))
    }
}
