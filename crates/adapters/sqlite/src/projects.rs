//! The port of projects.

use async_trait::async_trait;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper,
    SqliteConnection, delete,
    dsl::{AsSelect, IntoBoxed, Select},
    insert_into, insert_or_ignore_into,
    sqlite::Sqlite,
    update,
};
use latchkey_domain::{
    EnvironmentName, EventId, NewEvent, Project, ProjectId, ProjectMode, ProjectRemoval, ProjectVisibility,
    Role, UserId,
};
use latchkey_ports::{Entity, ProjectOverview, ProjectQuery, ProjectRepository, StoreError};
use latchkey_sql::{
    errors::{DbError, conflict_of},
    matching_projects, queries,
    rows::{self, NewMembershipRow, NewProjectEnvironmentRow, NewProjectRow, ProjectOverviewRow, ProjectRow},
    schema::{memberships, project_environments, projects},
};

use crate::{
    SqliteStore,
    events::record,
    existence::{check_environment, check_project, check_user},
    paging::paged,
    token_queries::first_tokens_of_project,
    token_writes::{BATCH, apply_outcomes},
};

#[async_trait]
impl ProjectRepository for SqliteStore {
    async fn create_project(
        &self,
        project: &Project,
        environments: &[EnvironmentName],
        owner: Option<UserId>,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (project, environments, event) = (project.clone(), environments.to_vec(), event.clone());
        self.write(move |connection| {
            insert_project(connection, &project)?;
            environments.iter().try_for_each(|name| check_environment(connection, name))?;
            link_environments(connection, &project.id, &environments)?;
            if let Some(owner) = owner {
                check_user(connection, owner)?;
                let row = NewMembershipRow::new(owner, &project.id, Role::OWNER, project.created_at);
                insert_into(memberships::table).values(row).execute(connection)?;
            }
            record(connection, &event)
        })
        .await
    }

    async fn find_project(&self, id: &ProjectId) -> Result<Option<Project>, StoreError> {
        let id = id.clone();
        self.read(move |connection| find_project(connection, &id)).await
    }

    async fn project_overview(&self, id: &ProjectId) -> Result<Option<ProjectOverview>, StoreError> {
        let id = id.clone();
        self.read(move |connection| {
            let row: Option<ProjectOverviewRow> =
                queries::project_overview(id.as_str()).first(connection).optional()?;
            Ok(rows::optional(row)?)
        })
        .await
    }

    async fn projects(&self, query: &ProjectQuery) -> Result<Vec<ProjectOverview>, StoreError> {
        let query = query.clone();
        self.read(move |connection| {
            let rows: Vec<ProjectOverviewRow> = project_list(&query).load(connection)?;
            Ok(rows::all(rows)?)
        })
        .await
    }

    async fn update_project(
        &self,
        before: &Project,
        after: &Project,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (before, after, event) = (before.clone(), after.clone(), event.clone());
        self.write(move |connection| {
            let kept = find_project(connection, &before.id)?;
            StoreError::check_unchanged(kept.as_ref(), &before, Entity::Project(before.id.clone()))?;
            update(projects::table.find(before.id.as_str()))
                .set(NewProjectRow::from(&after))
                .execute(connection)?;
            record(connection, &event)
        })
        .await
    }

    async fn delete_project(&self, removal: &ProjectRemoval) -> Result<EventId, StoreError> {
        let removal = removal.clone();
        self.write(move |connection| {
            let id = removal.project.as_str();
            check_project(connection, &removal.project)?;
            apply_outcomes(
                connection,
                // The tokens of earlier batches no longer name the project.
                |connection, last| first_tokens_of_project(connection, id, last, BATCH),
                |stored| removal.outcome_of(&stored.token),
            )?;
            delete(projects::table.find(id)).execute(connection)?;
            record(connection, &removal.event)
        })
        .await
    }
}

/// Inserts a project.
pub(crate) fn insert_project(connection: &mut SqliteConnection, project: &Project) -> Result<(), DbError> {
    let inserted = insert_into(projects::table).values(NewProjectRow::from(project)).execute(connection);
    inserted.map_err(conflict_of(|columns| {
        (columns == "projects.id").then(|| Entity::Project(project.id.clone()))
    }))?;
    Ok(())
}

/// Adds environments, which exist, to a project.
pub(crate) fn link_environments(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    environments: &[EnvironmentName],
) -> Result<(), DbError> {
    for environment in environments {
        insert_or_ignore_into(project_environments::table)
            .values(NewProjectEnvironmentRow::new(project, environment))
            .execute(connection)?;
    }
    Ok(())
}

/// Returns the project of this id.
pub(crate) fn find_project(
    connection: &mut SqliteConnection,
    id: &ProjectId,
) -> Result<Option<Project>, DbError> {
    let row: Option<ProjectRow> = queries::project(id.as_str()).first(connection).optional()?;
    Ok(rows::optional(row)?)
}

type Projects<'a> = IntoBoxed<'a, Select<projects::table, AsSelect<ProjectOverviewRow, Sqlite>>, Sqlite>;

/// Selects a page of projects, by id.
pub(crate) fn project_list(query: &ProjectQuery) -> Projects<'_> {
    paged(matching_projects!(projects::table.select(ProjectOverviewRow::as_select()), query), query.page)
}
