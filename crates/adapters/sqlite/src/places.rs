//! The ports of projects and environments.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper, SqliteConnection,
    dsl::exists, insert_into, select,
};
use latchkey_domain::{Environment, EnvironmentName, EventId, NewEvent, Project, ProjectId};
use latchkey_ports::{Entity, EnvironmentRepository, ProjectRepository, StoreError};
use tracing::instrument;

use crate::{
    SqliteStore,
    errors::{Failure, taken},
    events::record,
    rows::{EnvironmentRow, NewProjectRow, ProjectRow},
    schema::{environments, projects},
};

#[async_trait]
impl ProjectRepository for SqliteStore {
    #[instrument(level = "debug", skip_all, fields(project = %project.id))]
    async fn create_project(&self, project: &Project, event: &NewEvent) -> Result<EventId, StoreError> {
        let (project, event) = (project.clone(), event.clone());
        self.write(move |connection| {
            insert_into(projects::table).values(NewProjectRow::from(&project)).execute(connection).map_err(
                taken(|columns| (columns == "projects.id").then(|| Entity::Project(project.id.clone()))),
            )?;
            record(connection, &event)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(project = %id))]
    async fn find_project(&self, id: &ProjectId) -> Result<Option<Project>, StoreError> {
        let id = id.clone();
        self.read(move |connection| {
            let row = projects::table
                .find(id.as_str())
                .select(ProjectRow::as_select())
                .first(connection)
                .optional()?;
            Ok(row.map(Project::try_from).transpose()?)
        })
        .await
    }

    #[instrument(level = "debug", skip_all)]
    async fn projects(&self) -> Result<Vec<Project>, StoreError> {
        self.read(|connection| {
            let rows =
                projects::table.order(projects::id).select(ProjectRow::as_select()).load(connection)?;
            let projects: Result<_, _> = rows.into_iter().map(Project::try_from).collect();
            Ok(projects?)
        })
        .await
    }
}

#[async_trait]
impl EnvironmentRepository for SqliteStore {
    #[instrument(level = "debug", skip_all, fields(environment = %name))]
    async fn find_environment(&self, name: &EnvironmentName) -> Result<Option<Environment>, StoreError> {
        let name = name.clone();
        self.read(move |connection| {
            let row = environments::table
                .find(name.as_str())
                .select(EnvironmentRow::as_select())
                .first(connection)
                .optional()?;
            Ok(row.map(Environment::try_from).transpose()?)
        })
        .await
    }

    #[instrument(level = "debug", skip_all)]
    async fn environments(&self) -> Result<Vec<Environment>, StoreError> {
        self.read(|connection| {
            let rows = environments::table
                .order((environments::sort_order, environments::name))
                .select(EnvironmentRow::as_select())
                .load(connection)?;
            let environments: Result<_, _> = rows.into_iter().map(Environment::try_from).collect();
            Ok(environments?)
        })
        .await
    }
}

/// Whether there is a project of this id.
pub(crate) fn project_exists(connection: &mut SqliteConnection, id: &ProjectId) -> Result<bool, Failure> {
    let project = projects::table.filter(projects::id.eq(id.as_str()));
    Ok(select(exists(project)).get_result(connection)?)
}

/// Whether there is an environment of this name.
pub(crate) fn environment_exists(
    connection: &mut SqliteConnection,
    name: &EnvironmentName,
) -> Result<bool, Failure> {
    let environment = environments::table.filter(environments::name.eq(name.as_str()));
    Ok(select(exists(environment)).get_result(connection)?)
}
