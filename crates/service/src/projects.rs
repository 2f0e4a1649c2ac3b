//! Listing, creating, changing, archiving and deleting projects, and the environments in them.

use std::sync::Arc;

use latchkey_domain::{
    EnvironmentName, EventKind, NewEvent, Project, ProjectDescription, ProjectId, ProjectMode, ProjectName,
    ProjectRemoval,
};
use latchkey_ports::{
    Entity, EnvironmentRepository, Page, ProjectOverview, ProjectQuery, ProjectRepository, StoreError,
};

use crate::{
    Caller, CreateProjects, DeleteProject, InstancePermit, Missing, Permit, Rule, ServiceError,
    UpdateProject, changes::Changes,
};

/// A project to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectDraft {
    /// Its id; `None` = derived from the name.
    pub id: Option<ProjectId>,
    pub name: ProjectName,
    pub description: ProjectDescription,
    pub mode: ProjectMode,
    /// Its environments; `None` = all that are switched on.
    pub environments: Option<Vec<EnvironmentName>>,
}

/// A change to a project; `None` = unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectChange {
    pub name: Option<ProjectName>,
    pub description: Option<ProjectDescription>,
    pub mode: Option<ProjectMode>,
}

/// The use cases of this module.
pub struct Projects {
    store: Arc<dyn ProjectRepository>,
    environments: Arc<dyn EnvironmentRepository>,
    changes: Changes,
}

impl Projects {
    pub(crate) fn new(
        store: Arc<dyn ProjectRepository>,
        environments: Arc<dyn EnvironmentRepository>,
        changes: Changes,
    ) -> Self {
        Self { store, environments, changes }
    }

    /// Returns the projects that the caller sees, by id.
    pub async fn list(
        &self,
        caller: &Caller,
        archived: bool,
        page: Page,
    ) -> Result<Vec<ProjectOverview>, ServiceError> {
        let query = ProjectQuery { visibility: caller.grants().visibility(), archived, page };
        Ok(self.store.projects(&query).await?)
    }

    /// Returns a project that the caller sees.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also for one that the caller does not see.
    pub async fn get(&self, caller: &Caller, id: &str) -> Result<ProjectOverview, ServiceError> {
        let missing = || Missing::Project(id.to_owned());
        let id = ProjectId::new(id).map_err(|_| missing())?;
        let found = self.store.project_overview(&id).await?;
        let visibility = caller.grants().visibility();
        Ok(found.filter(|found| visibility.shows(&found.project)).ok_or_else(missing)?)
    }

    /// Creates a project. If the caller is a user, the user becomes its Owner.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] if no id can be derived from the name, for an id that a new project may not have,
    /// and for an unknown environment; [`ServiceError::Exists`] if the id is taken.
    pub async fn create(
        &self,
        permit: &InstancePermit<CreateProjects>,
        draft: ProjectDraft,
    ) -> Result<ProjectOverview, ServiceError> {
        let ProjectDraft { id, name, description, mode, environments } = draft;
        let id = id.or_else(|| ProjectId::from_name(&name)).ok_or_else(|| {
            let text = "No id can be made from this name: send one, such as \"web-shop\".";
            ServiceError::field("id", Rule::named("id-underivable").says(text))
        })?;
        id.check_new().map_err(|error| ServiceError::name("id", &error))?;
        let environments = match environments {
            Some(named) => named,
            None => self.enabled_environments().await?,
        };
        let created_at = self.changes.now();
        let project =
            Project { id, name, description, mode, created_at, updated_at: created_at, archived_at: None };
        let event = self.changes.event_in(&project.id, EventKind::ProjectCreated, &permit.initiator());
        let event = event.with_after(&project);
        let owner = permit.caller().user();
        self.store.create_project(&project, &environments, owner, &event).await.map_err(in_list)?;
        self.changes.after_commit(&event);
        let members = u64::from(owner.is_some());
        Ok(ProjectOverview { project, members, tokens: 0, environments })
    }

    async fn enabled_environments(&self) -> Result<Vec<EnvironmentName>, ServiceError> {
        let environments = self.environments.environments().await?.into_iter();
        let enabled = environments.filter(|overview| overview.environment.enabled);
        Ok(enabled.map(|overview| overview.environment.name).collect())
    }

    /// Changes a project and returns the result.
    pub async fn update(
        &self,
        permit: &Permit<UpdateProject>,
        change: &ProjectChange,
    ) -> Result<Project, ServiceError> {
        let ProjectChange { name, description, mode } = change;
        self.change(permit, EventKind::ProjectUpdated, |project| {
            project.name = name.clone().unwrap_or_else(|| project.name.clone());
            project.description = description.clone().unwrap_or_else(|| project.description.clone());
            project.mode = mode.unwrap_or(project.mode);
        })
        .await
    }

    /// Archives a project: it is no longer listed, and its tokens still work.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] for `default`.
    pub async fn archive(&self, permit: &Permit<DeleteProject>) -> Result<(), ServiceError> {
        refuse_default(permit.project(), "archived")?;
        let now = self.changes.now();
        let archive = |project: &mut Project| project.archived_at = project.archived_at.or(Some(now));
        self.change(permit, EventKind::ProjectArchived, archive).await.map(drop)
    }

    /// Returns a project from the archive.
    pub async fn revive(&self, permit: &Permit<DeleteProject>) -> Result<(), ServiceError> {
        let revive = |project: &mut Project| project.archived_at = None;
        self.change(permit, EventKind::ProjectRevived, revive).await.map(drop)
    }

    /// Deletes a project. Its tokens are revoked, or lose this project if they name others.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] for `default`.
    pub async fn delete(&self, permit: &Permit<DeleteProject>) -> Result<(), ServiceError> {
        let id = permit.project();
        refuse_default(id, "deleted")?;
        let project = self.find(id).await?;
        let event = self.changes.event_in(id, EventKind::ProjectDeleted, &permit.initiator());
        let event = event.with_before(&project);
        let removal = ProjectRemoval { project: id.clone(), event };
        self.store.delete_project(&removal).await?;
        self.changes.after_commit(&removal.event);
        Ok(())
    }

    /// Adds an environment to the project.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for an unknown environment; [`ServiceError::Exists`] if it is there already.
    pub async fn add_environment(
        &self,
        permit: &Permit<UpdateProject>,
        environment: &EnvironmentName,
    ) -> Result<(), ServiceError> {
        let event = self.environment_event(permit, EventKind::ProjectEnvironmentAdded, environment);
        self.environments.add_project_environment(permit.project(), environment, &event).await?;
        self.changes.after_commit(&event);
        Ok(())
    }

    /// Removes an environment from the project; succeeds if it is not there. Tokens are not changed.
    pub async fn remove_environment(
        &self,
        permit: &Permit<UpdateProject>,
        environment: &str,
    ) -> Result<(), ServiceError> {
        let Ok(environment) = EnvironmentName::new(environment) else {
            return self.find(permit.project()).await.map(drop);
        };
        let event = self.environment_event(permit, EventKind::ProjectEnvironmentRemoved, &environment);
        match self.environments.remove_project_environment(permit.project(), &environment, &event).await {
            Ok(_) => self.changes.after_commit(&event),
            Err(StoreError::NotFound(Entity::Environment(_))) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn environment_event(
        &self,
        permit: &Permit<UpdateProject>,
        kind: EventKind,
        environment: &EnvironmentName,
    ) -> NewEvent {
        NewEvent {
            environment: Some(environment.clone()),
            ..self.changes.event_in(permit.project(), kind, &permit.initiator())
        }
    }

    async fn find(&self, id: &ProjectId) -> Result<Project, ServiceError> {
        Ok(self.store.find_project(id).await?.ok_or_else(|| Missing::Project(id.to_string()))?)
    }

    /// Changes a project. A change without effect leaves no event.
    async fn change<A: crate::ProjectAction>(
        &self,
        permit: &Permit<A>,
        kind: EventKind,
        change: impl Fn(&mut Project),
    ) -> Result<Project, ServiceError> {
        let changed = self.changes.retry_on_conflict(async || -> Result<Project, ServiceError> {
            let before = self.find(permit.project()).await?;
            let mut after = before.clone();
            change(&mut after);
            if after == before {
                return Ok(after);
            }
            after.updated_at = self.changes.now();
            let event = self.changes.event_in(permit.project(), kind, &permit.initiator());
            let event = event.with_before(&before).with_after(&after);
            self.store.update_project(&before, &after, &event).await?;
            self.changes.after_commit(&event);
            Ok(after)
        });
        changed.await
    }
}

/// Maps the error of an environment that is an entry of a list.
fn in_list(error: StoreError) -> ServiceError {
    match error {
        StoreError::NotFound(Entity::Environment(name)) => {
            let text = format!("There is no environment \"{name}\": create it, or name others.");
            ServiceError::field(
                "environments",
                Rule::named("environment-unknown").with("name", name).says(text),
            )
        }
        other => other.into(),
    }
}

fn refuse_default(project: &ProjectId, what: &str) -> Result<(), ServiceError> {
    if project.as_str() == Project::DEFAULT {
        let text = format!("The default project cannot be {what}.");
        return Err(ServiceError::NotPermitted(Rule::named("default-project").with("what", what).says(text)));
    }
    Ok(())
}
