//! The ports of projects and environments.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, dsl::exists, insert_into, select,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::FutureExt;
use latchkey_domain::{Environment, EnvironmentName, EventId, NewEvent, Project, ProjectId};
use latchkey_ports::{Entity, EnvironmentRepository, ProjectRepository, StoreError};
use tracing::instrument;

use crate::{
    PostgresStore,
    errors::{Failure, taken, unavailable},
    events::record,
    rows::{EnvironmentRow, NewProjectRow, ProjectRow},
    schema::{environments, projects},
};

#[async_trait]
impl ProjectRepository for PostgresStore {
    #[instrument(level = "debug", skip_all, fields(project = %project.id))]
    async fn create_project(&self, project: &Project, event: &NewEvent) -> Result<EventId, StoreError> {
        let (project, event) = (project.clone(), event.clone());
        self.write(move |connection| {
            async move {
                insert_into(projects::table)
                    .values(NewProjectRow::from(&project))
                    .execute(connection)
                    .await
                    .map_err(taken(|_| Some(Entity::Project(project.id.clone()))))?;
                record(connection, &event).await
            }
            .boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(project = %id))]
    async fn find_project(&self, id: &ProjectId) -> Result<Option<Project>, StoreError> {
        let mut connection = self.connection().await?;
        let row = projects::table
            .find(id.as_str())
            .select(ProjectRow::as_select())
            .first(&mut connection)
            .await
            .optional()
            .map_err(unavailable)?;
        Ok(row.map(Project::try_from).transpose()?)
    }

    #[instrument(level = "debug", skip_all)]
    async fn projects(&self) -> Result<Vec<Project>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = projects::table
            .order(projects::id)
            .select(ProjectRow::as_select())
            .load(&mut connection)
            .await
            .map_err(unavailable)?;
        let projects: Result<_, _> = rows.into_iter().map(Project::try_from).collect();
        Ok(projects?)
    }
}

#[async_trait]
impl EnvironmentRepository for PostgresStore {
    #[instrument(level = "debug", skip_all, fields(environment = %name))]
    async fn find_environment(&self, name: &EnvironmentName) -> Result<Option<Environment>, StoreError> {
        let mut connection = self.connection().await?;
        let row = environments::table
            .find(name.as_str())
            .select(EnvironmentRow::as_select())
            .first(&mut connection)
            .await
            .optional()
            .map_err(unavailable)?;
        Ok(row.map(Environment::try_from).transpose()?)
    }

    #[instrument(level = "debug", skip_all)]
    async fn environments(&self) -> Result<Vec<Environment>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = environments::table
            .order((environments::sort_order, environments::name))
            .select(EnvironmentRow::as_select())
            .load(&mut connection)
            .await
            .map_err(unavailable)?;
        let environments: Result<_, _> = rows.into_iter().map(Environment::try_from).collect();
        Ok(environments?)
    }
}

/// Whether there is a project of this id.
pub(crate) async fn project_exists(
    connection: &mut AsyncPgConnection,
    id: &ProjectId,
) -> Result<bool, Failure> {
    let project = projects::table.filter(projects::id.eq(id.as_str()));
    Ok(select(exists(project)).get_result(connection).await?)
}

/// Whether there is an environment of this name.
pub(crate) async fn environment_exists(
    connection: &mut AsyncPgConnection,
    name: &EnvironmentName,
) -> Result<bool, Failure> {
    let environment = environments::table.filter(environments::name.eq(name.as_str()));
    Ok(select(exists(environment)).get_result(connection).await?)
}
