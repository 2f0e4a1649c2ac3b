//! The port of projects.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper, SqliteConnection, delete,
    insert_into, insert_or_ignore_into, update,
};
use latchkey_domain::{EnvironmentName, EventId, NewEvent, Project, ProjectId, ProjectRemoval, Role, UserId};
use latchkey_ports::{Entity, ProjectOverview, ProjectQuery, ProjectRepository, StoreError};
use tracing::instrument;

use crate::{
    SqliteStore,
    errors::{Failure, taken},
    events::record,
    people::check_user,
    place_lists::{environments_of, project_list, project_overview},
    places::{check_environment, check_project},
    rows::{self, NewProjectRow, ProjectOverviewRow, ProjectRow},
    schema::{memberships, project_environments, projects},
    token_keeping::{BATCH, apply_outcomes},
    token_queries::of_project_after,
};

#[async_trait]
impl ProjectRepository for SqliteStore {
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
            insert_into(projects::table).values(NewProjectRow::from(&project)).execute(connection).map_err(
                taken(|columns| (columns == "projects.id").then(|| Entity::Project(project.id.clone()))),
            )?;
            for environment in &environments {
                check_environment(connection, environment)?;
                insert_or_ignore_into(project_environments::table)
                    .values((
                        project_environments::project_id.eq(project.id.as_str()),
                        project_environments::environment.eq(environment.as_str()),
                    ))
                    .execute(connection)?;
            }
            if let Some(owner) = owner {
                make_owner(connection, owner, &project)?;
            }
            record(connection, &event)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(project = %id))]
    async fn find_project(&self, id: &ProjectId) -> Result<Option<Project>, StoreError> {
        let id = id.clone();
        self.read(move |connection| find(connection, &id)).await
    }

    #[instrument(level = "debug", skip_all, fields(project = %id))]
    async fn project_overview(&self, id: &ProjectId) -> Result<Option<ProjectOverview>, StoreError> {
        let id = id.clone();
        self.read_snapshot(move |connection| {
            let row = project_overview(id.as_str()).first(connection).optional()?;
            let overviews = with_environments(connection, Vec::from_iter(row))?;
            Ok(overviews.into_iter().next())
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(archived = query.archived))]
    async fn projects(&self, query: &ProjectQuery) -> Result<Vec<ProjectOverview>, StoreError> {
        let query = query.clone();
        self.read_snapshot(move |connection| {
            let rows = project_list(&query).load(connection)?;
            with_environments(connection, rows)
        })
        .await
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
            let kept = find(connection, &before.id)?;
            StoreError::unless_kept(kept.as_ref(), &before, Entity::Project(before.id.clone()))?;
            update(projects::table.find(before.id.as_str()))
                .set(NewProjectRow::from(&after))
                .execute(connection)?;
            record(connection, &event)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(project = %removal.project))]
    async fn delete_project(&self, removal: &ProjectRemoval) -> Result<EventId, StoreError> {
        let removal = removal.clone();
        self.write(move |connection| {
            let id = removal.project.as_str();
            check_project(connection, &removal.project)?;
            apply_outcomes(
                connection,
                |connection, last| Ok(of_project_after(id, last, BATCH).load(connection)?),
                |stored| removal.outcome_of(&stored.token),
            )?;
            delete(projects::table.find(id)).execute(connection)?;
            record(connection, &removal.event)
        })
        .await
    }
}

fn find(connection: &mut SqliteConnection, id: &ProjectId) -> Result<Option<Project>, Failure> {
    let row =
        projects::table.find(id.as_str()).select(ProjectRow::as_select()).first(connection).optional()?;
    Ok(row.map(Project::try_from).transpose()?)
}

fn make_owner(connection: &mut SqliteConnection, owner: UserId, project: &Project) -> Result<(), Failure> {
    check_user(connection, owner)?;
    insert_into(memberships::table)
        .values((
            memberships::user_id.eq(owner.0),
            memberships::project_id.eq(project.id.as_str()),
            memberships::role_id.eq(Role::OWNER.0),
            memberships::added_at.eq(project.created_at.millis()),
        ))
        .execute(connection)?;
    Ok(())
}

fn with_environments(
    connection: &mut SqliteConnection,
    rows: Vec<ProjectOverviewRow>,
) -> Result<Vec<ProjectOverview>, Failure> {
    let environments = environments_of(connection, &rows)?;
    Ok(rows::project_overviews(rows, environments)?)
}
