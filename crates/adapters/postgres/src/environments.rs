//! The port of environments.

use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, delete, insert_into, sql_query, sql_types::Text, update,
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{Environment, EnvironmentName, EnvironmentRemoval, EventId, NewEvent, ProjectId};
use latchkey_ports::{Entity, EnvironmentOverview, EnvironmentRepository, StoreError};
use latchkey_sql::{
    columns::{DbId, DbInt},
    errors::{conflict_of, not_found, store_error},
    queries,
    rows::{self, EnvironmentOverviewRow, EnvironmentRow, NewEnvironmentRow, NewProjectEnvironmentRow},
    schema::{api_tokens, environments, project_environments},
    statistics::{COUNT_TOKENS_IN_PROJECT, EnvironmentCountRow, tokens_in_project},
};

use crate::{
    PostgresStore,
    events::record,
    locks::{first_missing, lock_environments, lock_event_log, lock_project},
    token_writes::{apply_outcomes, outcomes_of},
};

#[async_trait]
impl EnvironmentRepository for PostgresStore {
    async fn create_environment(
        &self,
        environment: &Environment,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (environment, event) = (environment.clone(), event.clone());
        self.write(async move |connection| {
            let lock = lock_event_log(connection).await?;
            insert_into(environments::table)
                .values(NewEnvironmentRow::from(&environment))
                .execute(connection)
                .await
                .map_err(conflict_of(|_| Some(Entity::Environment(environment.name.clone()))))?;
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn find_environment(&self, name: &EnvironmentName) -> Result<Option<Environment>, StoreError> {
        self.load_optional::<EnvironmentRow, _>(queries::environment(name.as_str())).await
    }

    async fn environments(&self) -> Result<Vec<EnvironmentOverview>, StoreError> {
        self.load_all::<EnvironmentOverviewRow, _>(queries::environment_overviews()).await
    }

    async fn tokens_in_project(
        &self,
        project: &ProjectId,
    ) -> Result<BTreeMap<EnvironmentName, u64>, StoreError> {
        let mut connection = self.connection().await?;
        let rows: Vec<EnvironmentCountRow> = sql_query(COUNT_TOKENS_IN_PROJECT)
            .bind::<Text, _>(project.as_str())
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        Ok(tokens_in_project(rows)?)
    }

    async fn update_environment(
        &self,
        before: &Environment,
        after: &Environment,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (before, after, event) = (before.clone(), after.clone(), event.clone());
        self.write(async move |connection| {
            let name = before.name.as_str();
            let row: Option<EnvironmentRow> =
                queries::environment(name).for_no_key_update().first(connection).await.optional()?;
            let kept = rows::optional::<_, Environment>(row)?;
            StoreError::check_unchanged(kept.as_ref(), &before, Entity::Environment(before.name.clone()))?;
            let lock = lock_event_log(connection).await?;
            update(environments::table.find(name))
                .set(NewEnvironmentRow::from(&after))
                .execute(connection)
                .await?;
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn sort_environments(
        &self,
        orders: &[(EnvironmentName, i32)],
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (orders, event) = (orders.to_vec(), event.clone());
        self.write(async move |connection| {
            let names = orders.iter().map(|(name, _)| name.as_str());
            let found: Vec<String> = environments::table
                .filter(environments::name.eq_any(names))
                .order(environments::name)
                .select(environments::name)
                .for_no_key_update()
                .load(connection)
                .await?;
            if let Some((name, _)) = first_missing(&orders, |(name, _)| name.as_str(), &found) {
                return Err(not_found(Entity::Environment(name.clone())));
            }
            let lock = lock_event_log(connection).await?;
            for (name, place) in &orders {
                update(environments::table.find(name.as_str()))
                    .set(environments::sort_order.eq(DbInt((*place).into())))
                    .execute(connection)
                    .await?;
            }
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn delete_environment(&self, removal: &EnvironmentRemoval) -> Result<EventId, StoreError> {
        let removal = removal.clone();
        self.write(async move |connection| {
            let name = removal.environment.as_str();
            let environment = environments::table.find(name);
            // While the row is locked, no token can be created in the environment.
            let held: Option<String> =
                environment.select(environments::name).for_update().first(connection).await.optional()?;
            if held.is_none() {
                return Err(not_found(Entity::Environment(removal.environment.clone())));
            }
            let ids: Vec<DbId> = api_tokens::table
                .filter(api_tokens::environment.eq(name))
                .order(api_tokens::id)
                .select(api_tokens::id)
                .for_update()
                .load(connection)
                .await?;
            let outcomes = outcomes_of(connection, &ids, |token| removal.outcome_of(token)).await?;
            let lock = lock_event_log(connection).await?;
            apply_outcomes(connection, &lock, &outcomes).await?;
            delete(environment).execute(connection).await?;
            record(connection, &lock, &removal.event).await
        })
        .await
    }

    async fn add_project_environment(
        &self,
        project: &ProjectId,
        environment: &EnvironmentName,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (project, environment, event) = (project.clone(), environment.clone(), event.clone());
        self.write(async move |connection| {
            if !lock_project(connection, &project).await? {
                return Err(not_found(Entity::Project(project.clone())));
            }
            if lock_environments(connection, &[&environment]).await?.is_empty() {
                return Err(not_found(Entity::Environment(environment.clone())));
            }
            let lock = lock_event_log(connection).await?;
            insert_into(project_environments::table)
                .values(NewProjectEnvironmentRow::new(&project, &environment))
                .execute(connection)
                .await
                .map_err(conflict_of(|_| Some(Entity::Environment(environment.clone()))))?;
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn remove_project_environment(
        &self,
        project: &ProjectId,
        environment: &EnvironmentName,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (project, environment, event) = (project.clone(), environment.clone(), event.clone());
        self.write(async move |connection| {
            if !lock_project(connection, &project).await? {
                return Err(not_found(Entity::Project(project.clone())));
            }
            let lock = lock_event_log(connection).await?;
            let link = project_environments::table.find((project.as_str(), environment.as_str()));
            if delete(link).execute(connection).await? == 0 {
                return Err(not_found(Entity::Environment(environment.clone())));
            }
            record(connection, &lock, &event).await
        })
        .await
    }
}
