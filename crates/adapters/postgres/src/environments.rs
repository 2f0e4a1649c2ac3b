//! The port of environments.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, delete, insert_into, update};
use diesel_async::RunQueryDsl;
use futures_util::FutureExt;
use latchkey_domain::{Environment, EnvironmentName, EnvironmentRemoval, EventId, NewEvent, ProjectId};
use latchkey_ports::{Entity, EnvironmentOverview, EnvironmentRepository, StoreError};
use tracing::instrument;

use crate::{
    PostgresStore,
    connection::Connection,
    errors::{Failure, not_found, taken, unavailable},
    events::record,
    locks::number,
    places::{first_missing, hold_environments, hold_project},
    removals,
    rows::{self, EnvironmentOverviewRow, EnvironmentRow, NewEnvironmentRow},
    schema::{environment_rows, environments, project_environments},
};

#[async_trait]
impl EnvironmentRepository for PostgresStore {
    #[instrument(level = "debug", skip_all, fields(environment = %environment.name))]
    async fn create_environment(
        &self,
        environment: &Environment,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (environment, event) = (environment.clone(), event.clone());
        self.write(move |connection| {
            async move {
                let writing = number(connection).await?;
                insert_into(environments::table)
                    .values(NewEnvironmentRow::from(&environment))
                    .execute(connection)
                    .await
                    .map_err(taken(|_| Some(Entity::Environment(environment.name.clone()))))?;
                record(connection, &writing, &event).await
            }
            .boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(environment = %name))]
    async fn find_environment(&self, name: &EnvironmentName) -> Result<Option<Environment>, StoreError> {
        let mut connection = self.connection().await?;
        let row: Option<EnvironmentRow> = environment_rows::table
            .find(name.as_str())
            .select(EnvironmentRow::as_select())
            .first(&mut connection)
            .await
            .optional()
            .map_err(unavailable)?;
        Ok(rows::found(row)?)
    }

    #[instrument(level = "debug", skip_all)]
    async fn environments(&self) -> Result<Vec<EnvironmentOverview>, StoreError> {
        let mut connection = self.connection().await?;
        let rows: Vec<EnvironmentOverviewRow> = environment_rows::table
            .order((environment_rows::sort_order, environment_rows::name))
            .select(EnvironmentOverviewRow::as_select())
            .load(&mut connection)
            .await
            .map_err(unavailable)?;
        Ok(rows::all(rows)?)
    }

    #[instrument(level = "debug", skip_all, fields(environment = %before.name))]
    async fn update_environment(
        &self,
        before: &Environment,
        after: &Environment,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (before, after, event) = (before.clone(), after.clone(), event.clone());
        self.write(move |connection| {
            async move { replace(connection, &before, &after, &event).await }.boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all)]
    async fn sort_environments(
        &self,
        orders: &[(EnvironmentName, i32)],
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (orders, event) = (orders.to_vec(), event.clone());
        self.write(move |connection| async move { sort(connection, &orders, &event).await }.boxed()).await
    }

    #[instrument(level = "debug", skip_all, fields(environment = %removal.environment))]
    async fn delete_environment(&self, removal: &EnvironmentRemoval) -> Result<EventId, StoreError> {
        let removal = removal.clone();
        self.write(move |connection| async move { removals::environment(connection, &removal).await }.boxed())
            .await
    }

    #[instrument(level = "debug", skip_all, fields(%project, %environment))]
    async fn add_project_environment(
        &self,
        project: &ProjectId,
        environment: &EnvironmentName,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (project, environment, event) = (project.clone(), environment.clone(), event.clone());
        self.write(move |connection| {
            async move { add_to_project(connection, &project, &environment, &event).await }.boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(%project, %environment))]
    async fn remove_project_environment(
        &self,
        project: &ProjectId,
        environment: &EnvironmentName,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (project, environment, event) = (project.clone(), environment.clone(), event.clone());
        self.write(move |connection| {
            async move { remove_from_project(connection, &project, &environment, &event).await }.boxed()
        })
        .await
    }
}

async fn replace(
    connection: &mut Connection,
    before: &Environment,
    after: &Environment,
    event: &NewEvent,
) -> Result<EventId, Failure> {
    let name = before.name.as_str();
    let row: Option<EnvironmentRow> = environment_rows::table
        .find(name)
        .select(EnvironmentRow::as_select())
        .for_no_key_update()
        .first(connection)
        .await
        .optional()?;
    let kept = rows::found::<_, Environment>(row)?;
    StoreError::unless_kept(kept.as_ref(), before, Entity::Environment(before.name.clone()))?;
    let writing = number(connection).await?;
    update(environments::table.find(name)).set(NewEnvironmentRow::from(after)).execute(connection).await?;
    record(connection, &writing, event).await
}

async fn sort(
    connection: &mut Connection,
    orders: &[(EnvironmentName, i32)],
    event: &NewEvent,
) -> Result<EventId, Failure> {
    let names = orders.iter().map(|(name, _)| name.as_str());
    let found: Vec<String> = environments::table
        .filter(environments::name.eq_any(names))
        .order(environments::name)
        .select(environments::name)
        .for_no_key_update()
        .load(connection)
        .await?;
    if let Some((name, _)) = first_missing(orders, |(name, _)| name.as_str(), &found) {
        return Err(not_found(Entity::Environment(name.clone())));
    }
    let writing = number(connection).await?;
    for (name, place) in orders {
        update(environments::table.find(name.as_str()))
            .set(environments::sort_order.eq(place))
            .execute(connection)
            .await?;
    }
    record(connection, &writing, event).await
}

async fn add_to_project(
    connection: &mut Connection,
    project: &ProjectId,
    environment: &EnvironmentName,
    event: &NewEvent,
) -> Result<EventId, Failure> {
    if !hold_project(connection, project).await? {
        return Err(not_found(Entity::Project(project.clone())));
    }
    if hold_environments(connection, &[environment]).await?.is_empty() {
        return Err(not_found(Entity::Environment(environment.clone())));
    }
    let writing = number(connection).await?;
    insert_into(project_environments::table)
        .values((
            project_environments::project_id.eq(project.as_str()),
            project_environments::environment.eq(environment.as_str()),
        ))
        .execute(connection)
        .await
        .map_err(taken(|_| Some(Entity::Environment(environment.clone()))))?;
    record(connection, &writing, event).await
}

async fn remove_from_project(
    connection: &mut Connection,
    project: &ProjectId,
    environment: &EnvironmentName,
    event: &NewEvent,
) -> Result<EventId, Failure> {
    if !hold_project(connection, project).await? {
        return Err(not_found(Entity::Project(project.clone())));
    }
    let writing = number(connection).await?;
    let link = project_environments::table.find((project.as_str(), environment.as_str()));
    if delete(link).execute(connection).await? == 0 {
        return Err(not_found(Entity::Environment(environment.clone())));
    }
    record(connection, &writing, event).await
}
