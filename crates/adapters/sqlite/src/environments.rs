//! The port of environments.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper, SqliteConnection, delete,
    dsl::{AsSelect, auto_type, count_star},
    insert_into,
    sqlite::Sqlite,
    update,
};
use latchkey_domain::{Environment, EnvironmentName, EnvironmentRemoval, EventId, NewEvent, ProjectId};
use latchkey_ports::{Entity, EnvironmentOverview, EnvironmentRepository, StoreError};
use latchkey_sql::{
    columns::DbInt,
    errors::{DbError, conflict_of, not_found},
    rows::{self, EnvironmentRow, NewEnvironmentRow},
    schema::{environment_token_counts, environments, project_environments},
};
use tracing::instrument;

use crate::{
    SqliteStore,
    events::record,
    existence::{check_environment, check_project},
    token_queries::tokens_of_environment_after,
    token_writes::{BATCH, apply_outcomes},
};

#[async_trait]
impl EnvironmentRepository for SqliteStore {
    #[instrument(level = "debug", skip_all, fields(environment = %environment.name))]
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

    #[instrument(level = "debug", skip_all, fields(environment = %name))]
    async fn find_environment(&self, name: &EnvironmentName) -> Result<Option<Environment>, StoreError> {
        let name = name.clone();
        self.read(move |connection| find(connection, &name)).await
    }

    #[instrument(level = "debug", skip_all)]
    async fn environments(&self) -> Result<Vec<EnvironmentOverview>, StoreError> {
        self.read(|connection| {
            let rows: Vec<(EnvironmentRow, Option<i64>, Option<i64>)> =
                environment_overviews().load(connection)?;
            let overview = |(row, projects, tokens): (EnvironmentRow, Option<i64>, Option<i64>)| {
                row.into_overview(projects.unwrap_or(0), tokens.unwrap_or(0))
            };
            let environments: Result<_, _> = rows.into_iter().map(overview).collect();
            Ok(environments?)
        })
        .await
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
            let kept = find(connection, &before.name)?;
            StoreError::unless_kept(kept.as_ref(), &before, Entity::Environment(before.name.clone()))?;
            update(environments::table.find(before.name.as_str()))
                .set(NewEnvironmentRow::from(&after))
                .execute(connection)?;
            record(connection, &event)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(environments = orders.len()))]
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

    #[instrument(level = "debug", skip_all, fields(environment = %removal.environment))]
    async fn delete_environment(&self, removal: &EnvironmentRemoval) -> Result<EventId, StoreError> {
        let removal = removal.clone();
        self.write(move |connection| {
            let name = removal.environment.as_str();
            check_environment(connection, &removal.environment)?;
            apply_outcomes(
                connection,
                |connection, last| Ok(tokens_of_environment_after(name, last, BATCH).load(connection)?),
                |stored| removal.outcome_of(&stored.token),
            )?;
            delete(environments::table.find(name)).execute(connection)?;
            record(connection, &removal.event)
        })
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
            check_project(connection, &project)?;
            check_environment(connection, &environment)?;
            insert_into(project_environments::table)
                .values((
                    project_environments::project_id.eq(project.as_str()),
                    project_environments::environment.eq(environment.as_str()),
                ))
                .execute(connection)
                .map_err(conflict_of(|_| Some(Entity::Environment(environment.clone()))))?;
            record(connection, &event)
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
    let row: Option<EnvironmentRow> = environments::table
        .find(name.as_str())
        .select(EnvironmentRow::as_select())
        .first(connection)
        .optional()?;
    Ok(rows::optional(row)?)
}

type ShownEnvironment = AsSelect<EnvironmentRow, Sqlite>;

/// Selects all environments in the order of lists, with the numbers of their projects and tokens.
#[auto_type]
pub(crate) fn environment_overviews() -> _ {
    let row: ShownEnvironment = EnvironmentRow::as_select();
    let projects = project_environments::table
        .filter(project_environments::environment.eq(environments::name))
        .select(count_star())
        .single_value();
    let tokens = environment_token_counts::table
        .filter(environment_token_counts::environment.eq(environments::name))
        .select(environment_token_counts::tokens)
        .single_value();
    environments::table.order((environments::sort_order, environments::name)).select((row, projects, tokens))
}
