//! Listing, creating, changing and deleting environments.

use std::{collections::BTreeMap, sync::Arc};

use latchkey_domain::{
    Environment, EnvironmentKind, EnvironmentName, EnvironmentRemoval, EventKind, NewEvent, ProjectId,
    Snapshot,
};
use latchkey_ports::{EnvironmentOverview, EnvironmentRepository};

use crate::{Caller, InstancePermit, ManageEnvironments, Missing, ServiceError, changes::Changes};

/// An environment to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentDraft {
    pub name: EnvironmentName,
    pub kind: EnvironmentKind,
    pub enabled: bool,
    /// Its position in lists; `None` = last.
    pub sort_order: Option<i32>,
}

/// A change to an environment; `None` = unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EnvironmentChange {
    pub kind: Option<EnvironmentKind>,
    pub enabled: Option<bool>,
    pub sort_order: Option<i32>,
}

/// The use cases of this module.
pub struct Environments {
    environments: Arc<dyn EnvironmentRepository>,
    changes: Changes,
}

type Managing = InstancePermit<ManageEnvironments>;

impl Environments {
    pub(crate) fn new(environments: Arc<dyn EnvironmentRepository>, changes: Changes) -> Self {
        Self { environments, changes }
    }

    /// Returns by environment how many tokens work in a project: those that name it, and those of all projects.
    pub async fn tokens_in(
        &self,
        _: &Caller,
        project: &ProjectId,
    ) -> Result<BTreeMap<EnvironmentName, u64>, ServiceError> {
        Ok(self.environments.tokens_in_project(project).await?)
    }

    /// Returns every environment, by sort order, then name.
    pub async fn list(&self, _: &Caller) -> Result<Vec<EnvironmentOverview>, ServiceError> {
        Ok(self.environments.environments().await?)
    }

    /// Returns the environment of this name.
    pub async fn get(&self, _: &Caller, name: &str) -> Result<Environment, ServiceError> {
        self.find(name).await
    }

    /// Creates an environment, in no project yet.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a name that a new one may not have; [`ServiceError::Exists`] if it is taken.
    pub async fn create(
        &self,
        permit: &Managing,
        draft: EnvironmentDraft,
    ) -> Result<Environment, ServiceError> {
        let EnvironmentDraft { name, kind, enabled, sort_order } = draft;
        name.check_new().map_err(|error| ServiceError::name("name", &error))?;
        let sort_order = match sort_order {
            Some(given) => given,
            None => self.last_place().await?,
        };
        let environment = Environment { name, kind, sort_order, enabled };
        let event = self.event(permit, EventKind::EnvironmentCreated, &environment.name);
        let event = event.with_after(&environment);
        self.environments.create_environment(&environment, &event).await?;
        self.changes.after_commit(&event);
        Ok(environment)
    }

    async fn last_place(&self) -> Result<i32, ServiceError> {
        let environments = self.environments.environments().await?;
        let last = environments.iter().map(|overview| overview.environment.sort_order).max();
        Ok(last.map_or(1, |last| last.saturating_add(1)))
    }

    /// Changes an environment and returns the result.
    pub async fn update(
        &self,
        permit: &Managing,
        name: &str,
        change: EnvironmentChange,
    ) -> Result<Environment, ServiceError> {
        let changed = self.changes.retry_on_conflict(async || -> Result<Environment, ServiceError> {
            let before = self.find(name).await?;
            let after = Environment {
                name: before.name.clone(),
                kind: change.kind.unwrap_or(before.kind),
                enabled: change.enabled.unwrap_or(before.enabled),
                sort_order: change.sort_order.unwrap_or(before.sort_order),
            };
            if after == before {
                return Ok(after);
            }
            let event = self.event(permit, EventKind::EnvironmentUpdated, &before.name);
            let event = event.with_before(&before).with_after(&after);
            self.environments.update_environment(&before, &after, &event).await?;
            self.changes.after_commit(&event);
            Ok(after)
        });
        changed.await
    }

    /// Sets the positions of environments in lists. If that changes nothing, there is no event.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an unknown one; then no position is changed. [`ServiceError::Unavailable`].
    pub async fn sort(
        &self,
        permit: &Managing,
        orders: &[(EnvironmentName, i32)],
    ) -> Result<(), ServiceError> {
        let known = self.environments.environments().await?;
        let is_there = |(name, place): &(EnvironmentName, i32)| {
            let mut known = known.iter().map(|known| &known.environment);
            known.any(|known| known.name == *name && known.sort_order == *place)
        };
        if orders.iter().all(is_there) {
            return Ok(());
        }
        let event = self.changes.event(EventKind::EnvironmentsSorted, &permit.initiator());
        let event = event.with_after(Snapshot::of_sort_orders(orders));
        self.environments.sort_environments(orders, &event).await.map_err(in_path)?;
        self.changes.after_commit(&event);
        Ok(())
    }

    /// Deletes an environment. Its tokens are revoked.
    pub async fn delete(&self, permit: &Managing, name: &str) -> Result<(), ServiceError> {
        let environment = self.find(name).await?;
        let event = self.event(permit, EventKind::EnvironmentDeleted, &environment.name);
        let event = event.with_before(&environment);
        let removal = EnvironmentRemoval { environment: environment.name, event };
        self.environments.delete_environment(&removal).await.map_err(in_path)?;
        self.changes.after_commit(&removal.event);
        Ok(())
    }

    async fn find(&self, name: &str) -> Result<Environment, ServiceError> {
        let missing = || Missing::Environment(name.to_owned());
        let name = EnvironmentName::new(name).map_err(|_| missing())?;
        Ok(self.environments.find_environment(&name).await?.ok_or_else(missing)?)
    }

    fn event(&self, permit: &Managing, kind: EventKind, environment: &EnvironmentName) -> NewEvent {
        NewEvent { environment: Some(environment.clone()), ..self.changes.event(kind, &permit.initiator()) }
    }
}

/// Maps the error of an environment that is part of the path or a key, not a member's value.
fn in_path(error: latchkey_ports::StoreError) -> ServiceError {
    match error {
        latchkey_ports::StoreError::NotFound(latchkey_ports::Entity::Environment(name)) => {
            Missing::Environment(name.to_string()).into()
        }
        other => other.into(),
    }
}
