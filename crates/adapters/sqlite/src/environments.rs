//! The port of environments.

use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SqliteConnection, delete, insert_into,
    sql_query, sql_types::Text, update,
};
use latchkey_domain::{Environment, EnvironmentName, EnvironmentRemoval, EventId, NewEvent, ProjectId};
use latchkey_ports::{Entity, EnvironmentOverview, EnvironmentRepository, StoreError};
use latchkey_sql::{
    columns::DbInt,
    errors::{DbError, conflict_of, not_found},
    queries,
    rows::{self, EnvironmentOverviewRow, EnvironmentRow, NewEnvironmentRow, NewProjectEnvironmentRow},
    schema::{environments, project_environments},
    statistics::{COUNT_TOKENS_IN_PROJECT, EnvironmentCountRow, tokens_in_project},
};

use crate::{
    SqliteStore,
    events::record,
    existence::{check_environment, check_project},
    token_queries::tokens_of_environment_after,
    token_writes::{BATCH, apply_outcomes},
};

#[async_trait]
impl EnvironmentRepository for SqliteStore {
    async fn create_environment(
        &self,
        environment: &Environment,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (environment, event) = (environment.clone(), event.clone());
        self.write(move |connection| {
            let conflict = conflict_of(|_| Some(Entity::Environment(environment.name.clone())));
            let row = NewEnvironmentRow::from(&environment);
            insert_into(environments::table).values(row).execute(connection).map_err(conflict)?;
            record(connection, &event)
        })
        .await
    }

    async fn find_environment(&self, name: &EnvironmentName) -> Result<Option<Environment>, StoreError> {
        let name = name.clone();
        self.read(move |connection| find(connection, &name)).await
    }

    async fn environments(&self) -> Result<Vec<EnvironmentOverview>, StoreError> {
        self.read(|connection| {
            let rows: Vec<EnvironmentOverviewRow> = queries::environment_overviews().load(connection)?;
            Ok(rows::all(rows)?)
        })
        .await
    }

    async fn tokens_in_project(
        &self,
        project: &ProjectId,
    ) -> Result<BTreeMap<EnvironmentName, u64>, StoreError> {
        let project = project.clone();
        self.read(move |connection| {
            let rows: Vec<EnvironmentCountRow> =
                sql_query(COUNT_TOKENS_IN_PROJECT).bind::<Text, _>(project.as_str()).load(connection)?;
            Ok(tokens_in_project(rows)?)
        })
        .await
    }

    async fn update_environment(
        &self,
        before: &Environment,
        after: &Environment,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (before, after, event) = (before.clone(), after.clone(), event.clone());
        self.write(move |connection| {
            let kept = find(connection, &before.name)?;
            StoreError::check_unchanged(kept.as_ref(), &before, Entity::Environment(before.name.clone()))?;
            update(environments::table.find(before.name.as_str()))
                .set(NewEnvironmentRow::from(&after))
                .execute(connection)?;
            record(connection, &event)
        })
        .await
    }

    async fn sort_environments(
        &self,
        orders: &[(EnvironmentName, i32)],
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (orders, event) = (orders.to_vec(), event.clone());
        self.write(move |connection| {
            for (name, order) in &orders {
                let environment = environments::table.find(name.as_str());
                let sorted = update(environment).set(environments::sort_order.eq(DbInt((*order).into())));
                if sorted.execute(connection)? == 0 {
                    return Err(not_found(Entity::Environment(name.clone())));
                }
            }
            record(connection, &event)
        })
        .await
    }

    async fn delete_environment(&self, removal: &EnvironmentRemoval) -> Result<EventId, StoreError> {
        let removal = removal.clone();
        self.write(move |connection| {
            let name = removal.environment.as_str();
            check_environment(connection, &removal.environment)?;
            apply_outcomes(
                connection,
                |connection, last| Ok(tokens_of_environment_after(name, last, BATCH.into()).load(connection)?),
                |stored| removal.outcome_of(&stored.token),
            )?;
            delete(environments::table.find(name)).execute(connection)?;
            record(connection, &removal.event)
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
        self.write(move |connection| {
            check_project(connection, &project)?;
            check_environment(connection, &environment)?;
            insert_into(project_environments::table)
                .values(NewProjectEnvironmentRow::new(&project, &environment))
                .execute(connection)
                .map_err(conflict_of(|_| Some(Entity::Environment(environment.clone()))))?;
            record(connection, &event)
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
        self.write(move |connection| {
            check_project(connection, &project)?;
            let link = project_environments::table.find((project.as_str(), environment.as_str()));
            if delete(link).execute(connection)? == 0 {
                return Err(not_found(Entity::Environment(environment)));
            }
            record(connection, &event)
        })
        .await
    }
}

fn find(connection: &mut SqliteConnection, name: &EnvironmentName) -> Result<Option<Environment>, DbError> {
    let row: Option<EnvironmentRow> = queries::environment(name.as_str()).first(connection).optional()?;
    Ok(rows::optional(row)?)
}
