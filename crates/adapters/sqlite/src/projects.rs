//! The port of projects.

#![expect(clippy::elidable_lifetime_names, reason = "`auto_type` needs names for its types")]

use async_trait::async_trait;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, RunQueryDsl,
    SelectableHelper, SqliteConnection, delete,
    dsl::{AsSelect, IntoBoxed, auto_type},
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
    columns::{DbTime, Parsed},
    errors::{DbError, conflict_of},
    rows::{self, NewProjectRow, ProjectRow},
    schema::{
        environments, memberships, project_environments, project_member_counts, project_token_counts,
        projects,
    },
};
use tracing::instrument;

use crate::{
    SqliteStore,
    events::record,
    existence::{check_environment, check_project, check_user},
    paging::{MAX_BINDS, paged},
    token_queries::tokens_of_project_from,
    token_writes::{BATCH, apply_outcomes},
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
                conflict_of(|columns| {
                    (columns == "projects.id").then(|| Entity::Project(project.id.clone()))
                }),
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
                // The tokens of earlier batches no longer name the project.
                |connection, last| Ok(tokens_of_project_from(id, last, BATCH).load(connection)?),
                |stored| removal.outcome_of(&stored.token),
            )?;
            delete(projects::table.find(id)).execute(connection)?;
            record(connection, &removal.event)
        })
        .await
    }
}

fn find(connection: &mut SqliteConnection, id: &ProjectId) -> Result<Option<Project>, DbError> {
    let row: Option<ProjectRow> =
        projects::table.find(id.as_str()).select(ProjectRow::as_select()).first(connection).optional()?;
    Ok(rows::optional(row)?)
}

fn make_owner(connection: &mut SqliteConnection, owner: UserId, project: &Project) -> Result<(), DbError> {
    check_user(connection, owner)?;
    insert_into(memberships::table)
        .values((
            memberships::user_id.eq(owner.0),
            memberships::project_id.eq(project.id.as_str()),
            memberships::role_id.eq(Role::OWNER.0),
            memberships::added_at.eq(DbTime::from(project.created_at)),
        ))
        .execute(connection)?;
    Ok(())
}

/// A project, the number of its members and the number of its tokens.
type ProjectOverviewRow = (ProjectRow, Option<i64>, Option<i64>);

/// A row of `project_environments`: project and environment.
type ProjectEnvironmentRow = (String, Parsed<EnvironmentName>);

/// Converts projects with their environments. Both lists are in the order of project ids.
fn with_environments(
    connection: &mut SqliteConnection,
    rows: Vec<ProjectOverviewRow>,
) -> Result<Vec<ProjectOverview>, DbError> {
    let environments = environments_of(connection, &rows)?;
    let mut environments = environments.into_iter().peekable();
    let overview = |(row, members, tokens): ProjectOverviewRow| {
        let mut names = Vec::new();
        while let Some((_, name)) = environments.next_if(|(project, _)| project == row.id()) {
            names.push(name);
        }
        row.into_overview(members.unwrap_or(0), tokens.unwrap_or(0), names)
    };
    let overviews: Result<_, _> = rows.into_iter().map(overview).collect();
    Ok(overviews?)
}

type ShownProject = AsSelect<ProjectRow, Sqlite>;

/// Every project, with members and tokens, which are counted already.
#[auto_type]
fn project_overviews() -> _ {
    let row: ShownProject = ProjectRow::as_select();
    let members = project_member_counts::table
        .filter(project_member_counts::project_id.eq(projects::id))
        .select(project_member_counts::members)
        .single_value();
    let tokens = project_token_counts::table
        .filter(project_token_counts::project_id.eq(projects::id))
        .select(project_token_counts::tokens)
        .single_value();
    projects::table.select((row, members, tokens))
}

/// One project, with members and tokens.
#[auto_type]
pub(crate) fn project_overview<'a>(id: &'a str) -> _ {
    project_overviews().filter(projects::id.eq(id))
}

/// A page of projects, by id.
pub(crate) fn project_list(query: &ProjectQuery) -> IntoBoxed<'_, project_overviews, Sqlite> {
    let projects = project_overviews().order(projects::id).into_boxed();
    let projects = if query.archived {
        projects.filter(projects::archived_at.is_not_null())
    } else {
        projects.filter(projects::archived_at.is_null())
    };
    let projects = match &query.visibility {
        ProjectVisibility::All => projects,
        ProjectVisibility::NotPrivateAnd(own) => {
            let is_own = projects::id.eq_any(own.iter().map(ProjectId::as_str));
            projects.filter(projects::mode.ne(ProjectMode::Private.as_str()).or(is_own))
        }
    };
    paged(projects, query.page)
}

/// The environments of these projects, in the order of the projects, then of lists.
pub(crate) fn environments_of(
    connection: &mut SqliteConnection,
    projects: &[ProjectOverviewRow],
) -> Result<Vec<ProjectEnvironmentRow>, DbError> {
    let mut environments = Vec::new();
    for projects in projects.chunks(MAX_BINDS) {
        let some: Vec<ProjectEnvironmentRow> = environments_of_some()
            .filter(project_environments::project_id.eq_any(projects.iter().map(|(row, ..)| row.id())))
            .load(connection)?;
        environments.extend(some);
    }
    Ok(environments)
}

#[auto_type]
fn environments_of_some() -> _ {
    project_environments::table
        .inner_join(environments::table.on(environments::name.eq(project_environments::environment)))
        .order((project_environments::project_id, environments::sort_order, environments::name))
        .select((project_environments::project_id, environments::name))
}
