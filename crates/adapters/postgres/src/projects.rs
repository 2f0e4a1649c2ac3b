//! The port of projects.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, insert_into, update};
use diesel_async::RunQueryDsl;
use futures_util::FutureExt;
use latchkey_domain::{EnvironmentName, EventId, NewEvent, Project, ProjectId, ProjectRemoval, Role, UserId};
use latchkey_ports::{Entity, ProjectOverview, ProjectQuery, ProjectRepository, StoreError};
use tracing::instrument;

use crate::{
    PostgresStore,
    connection::Connection,
    errors::{Failure, not_found, taken, unavailable},
    events::record,
    locks::number,
    memberships::{hold_roles, hold_users},
    places::{first_missing, hold_environments},
    project_lists::listed,
    removals,
    rows::{self, NewProjectRow, ProjectOverviewRow, ProjectRow},
    schema::{memberships, project_environments, project_rows, projects},
};

#[async_trait]
impl ProjectRepository for PostgresStore {
    #[instrument(level = "debug", skip_all, fields(project = %project.id))]
    async fn create_project(
        &self,
        project: &Project,
        environments: &[EnvironmentName],
        owner: Option<UserId>,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (project, environments, event) = (project.clone(), environments.to_vec(), event.clone());
        self.write(move |connection| {
            async move { create(connection, &project, &environments, owner, &event).await }.boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(project = %id))]
    async fn find_project(&self, id: &ProjectId) -> Result<Option<Project>, StoreError> {
        let mut connection = self.connection().await?;
        let row: Option<ProjectRow> = project_rows::table
            .find(id.as_str())
            .select(ProjectRow::as_select())
            .first(&mut connection)
            .await
            .optional()
            .map_err(unavailable)?;
        Ok(rows::found(row)?)
    }

    #[instrument(level = "debug", skip_all, fields(project = %id))]
    async fn project_overview(&self, id: &ProjectId) -> Result<Option<ProjectOverview>, StoreError> {
        let mut connection = self.connection().await?;
        let row: Option<ProjectOverviewRow> = project_rows::table
            .find(id.as_str())
            .select(ProjectOverviewRow::as_select())
            .first(&mut connection)
            .await
            .optional()
            .map_err(unavailable)?;
        Ok(rows::found(row)?)
    }

    #[instrument(level = "debug", skip_all)]
    async fn projects(&self, query: &ProjectQuery) -> Result<Vec<ProjectOverview>, StoreError> {
        let mut connection = self.connection().await?;
        let rows: Vec<ProjectOverviewRow> = listed(query).load(&mut connection).await.map_err(unavailable)?;
        Ok(rows::all(rows)?)
    }

    #[instrument(level = "debug", skip_all, fields(project = %before.id))]
    async fn update_project(
        &self,
        before: &Project,
        after: &Project,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (before, after, event) = (before.clone(), after.clone(), event.clone());
        self.write(move |connection| {
            async move { replace(connection, &before, &after, &event).await }.boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(project = %removal.project))]
    async fn delete_project(&self, removal: &ProjectRemoval) -> Result<EventId, StoreError> {
        let removal = removal.clone();
        self.write(move |connection| async move { removals::project(connection, &removal).await }.boxed())
            .await
    }
}

async fn create(
    connection: &mut Connection,
    project: &Project,
    environments: &[EnvironmentName],
    owner: Option<UserId>,
    event: &NewEvent,
) -> Result<EventId, Failure> {
    let names: Vec<_> = environments.iter().collect();
    let known = hold_environments(connection, &names).await?;
    let mut owners = Vec::new();
    if let Some(owner) = owner {
        hold_roles(connection, &[Role::OWNER]).await?;
        owners = hold_users(connection, &[owner]).await?;
    }
    let writing = number(connection).await?;
    insert_into(projects::table)
        .values(NewProjectRow::from(project))
        .execute(connection)
        .await
        .map_err(taken(|_| Some(Entity::Project(project.id.clone()))))?;
    if let Some(name) = first_missing(environments, EnvironmentName::as_str, &known) {
        return Err(not_found(Entity::Environment(name.clone())));
    }
    let id = project.id.as_str();
    let links: Vec<_> = known
        .iter()
        .map(|name| (project_environments::project_id.eq(id), project_environments::environment.eq(name)))
        .collect();
    if !links.is_empty() {
        insert_into(project_environments::table).values(links).execute(connection).await?;
    }
    if let Some(owner) = owner {
        if owners.is_empty() {
            return Err(not_found(Entity::User(owner)));
        }
        insert_into(memberships::table)
            .values((
                memberships::user_id.eq(owner.0),
                memberships::project_id.eq(id),
                memberships::role_id.eq(Role::OWNER.0),
                memberships::added_at.eq(project.created_at.to_datetime()),
            ))
            .execute(connection)
            .await?;
    }
    record(connection, &writing, event).await
}

async fn replace(
    connection: &mut Connection,
    before: &Project,
    after: &Project,
    event: &NewEvent,
) -> Result<EventId, Failure> {
    let id = before.id.as_str();
    let row: Option<ProjectRow> = project_rows::table
        .find(id)
        .select(ProjectRow::as_select())
        .for_no_key_update()
        .first(connection)
        .await
        .optional()?;
    let kept = rows::found::<_, Project>(row)?;
    StoreError::unless_kept(kept.as_ref(), before, Entity::Project(before.id.clone()))?;
    let writing = number(connection).await?;
    update(projects::table.find(id)).set(NewProjectRow::from(after)).execute(connection).await?;
    record(connection, &writing, event).await
}
