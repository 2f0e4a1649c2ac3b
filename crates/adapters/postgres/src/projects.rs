//! The port of projects.

use async_trait::async_trait;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl,
    SelectableHelper, delete,
    dsl::{AsSelect, IntoBoxed, Select, array, exists},
    insert_into,
    pg::Pg,
    select, update,
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{
    EnvironmentName, EventId, NewEvent, Project, ProjectId, ProjectMode, ProjectRemoval, ProjectVisibility,
    Role, UserId,
};
use latchkey_ports::{Entity, ProjectOverview, ProjectQuery, ProjectRepository, StoreError};
use latchkey_sql::{
    columns::DbId,
    errors::{DbError, conflict_of, not_found},
    matching_projects,
    queries::{self, page_limit, page_offset},
    rows::{self, NewMembershipRow, NewProjectEnvironmentRow, NewProjectRow, ProjectOverviewRow, ProjectRow},
    schema::{api_token_projects, api_tokens, memberships, project_environments, projects},
};

use crate::{
    PostgresStore,
    connection::{Connection, Unprepared},
    events::record,
    locks::{EventLogLock, first_missing, lock_environments, lock_event_log, lock_roles, lock_users},
    token_queries::token_ids_of_project,
    token_writes::{apply_outcomes, outcomes_of},
};

#[async_trait]
impl ProjectRepository for PostgresStore {
    async fn create_project(
        &self,
        project: &Project,
        environments: &[EnvironmentName],
        owner: Option<UserId>,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (project, environments, event) = (project.clone(), environments.to_vec(), event.clone());
        self.write(async move |connection| {
            let names: Vec<_> = environments.iter().collect();
            let known = lock_environments(connection, &names).await?;
            let mut owners = Vec::new();
            if let Some(owner) = owner {
                lock_roles(connection, &[Role::OWNER]).await?;
                owners = lock_users(connection, &[owner]).await?;
            }
            let lock = lock_event_log(connection).await?;
            insert_project(connection, &lock, &project).await?;
            if let Some(name) = first_missing(&environments, EnvironmentName::as_str, &known) {
                return Err(not_found(Entity::Environment(name.clone())));
            }
            link_environments(connection, &lock, &project.id, &environments).await?;
            if let Some(owner) = owner {
                if owners.is_empty() {
                    return Err(not_found(Entity::User(owner)));
                }
                let row = NewMembershipRow::new(owner, &project.id, Role::OWNER, project.created_at);
                insert_into(memberships::table).values(row).execute(connection).await?;
            }
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn find_project(&self, id: &ProjectId) -> Result<Option<Project>, StoreError> {
        self.load_optional::<ProjectRow, _>(queries::project(id.as_str())).await
    }

    async fn project_overview(&self, id: &ProjectId) -> Result<Option<ProjectOverview>, StoreError> {
        self.load_optional::<ProjectOverviewRow, _>(queries::project_overview(id.as_str())).await
    }

    async fn projects(&self, query: &ProjectQuery) -> Result<Vec<ProjectOverview>, StoreError> {
        self.load_all::<ProjectOverviewRow, _>(project_list(query)).await
    }

    async fn update_project(
        &self,
        before: &Project,
        after: &Project,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (before, after, event) = (before.clone(), after.clone(), event.clone());
        self.write(async move |connection| {
            let id = before.id.as_str();
            let row: Option<ProjectRow> =
                queries::project(id).for_no_key_update().first(connection).await.optional()?;
            let kept = rows::optional::<_, Project>(row)?;
            StoreError::check_unchanged(kept.as_ref(), &before, Entity::Project(before.id.clone()))?;
            let lock = lock_event_log(connection).await?;
            update(projects::table.find(id)).set(NewProjectRow::from(&after)).execute(connection).await?;
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn delete_project(&self, removal: &ProjectRemoval) -> Result<EventId, StoreError> {
        let removal = removal.clone();
        self.write(async move |connection| {
            let id = removal.project.as_str();
            let project = projects::table.find(id);
            // While the row is locked, no token can be created in the project.
            let held: Option<String> =
                project.select(projects::id).for_update().first(connection).await.optional()?;
            if held.is_none() {
                return Err(not_found(Entity::Project(removal.project.clone())));
            }
            let ids: Vec<DbId> = api_tokens::table
                .filter(api_tokens::id.eq_any(array(token_ids_of_project(id))))
                .order(api_tokens::id)
                .select(api_tokens::id)
                .for_update()
                .load(connection)
                .await?;
            let outcomes = outcomes_of(connection, &ids, |token| removal.outcome_of(token)).await?;
            let lock = lock_event_log(connection).await?;
            // Of a token that is narrowed, this is what it loses.
            delete(api_token_projects::table.filter(api_token_projects::project_id.eq(id)))
                .execute(connection)
                .await?;
            apply_outcomes(connection, &lock, &outcomes).await?;
            delete(project).execute(connection).await?;
            record(connection, &lock, &removal.event).await
        })
        .await
    }
}

/// Inserts a project.
pub(crate) async fn insert_project(
    connection: &mut Connection,
    _lock: &EventLogLock,
    project: &Project,
) -> Result<(), DbError> {
    let inserted =
        insert_into(projects::table).values(NewProjectRow::from(project)).execute(connection).await;
    inserted.map_err(conflict_of(|_| Some(Entity::Project(project.id.clone()))))?;
    Ok(())
}

/// Adds environments, which exist, to a project.
pub(crate) async fn link_environments(
    connection: &mut Connection,
    _lock: &EventLogLock,
    project: &ProjectId,
    environments: &[EnvironmentName],
) -> Result<(), DbError> {
    let links: Vec<_> =
        environments.iter().map(|name| NewProjectEnvironmentRow::new(project, name)).collect();
    if !links.is_empty() {
        let linked = insert_into(project_environments::table).values(links).on_conflict_do_nothing();
        linked.execute(connection).await?;
    }
    Ok(())
}

/// Whether there is a project of this id.
pub(crate) async fn project_exists(connection: &mut Connection, id: &ProjectId) -> Result<bool, DbError> {
    let project = projects::table.filter(projects::id.eq(id.as_str()));
    Ok(select(exists(project)).get_result(connection).await?)
}

type Projects<'q> = IntoBoxed<'q, Select<projects::table, AsSelect<ProjectOverviewRow, Pg>>, Pg>;

/// Selects a page of projects, by id. The first project of the page is found among the bare rows, so that nothing is
/// counted for the projects before it.
pub(crate) fn project_list(query: &ProjectQuery) -> Unprepared<Projects<'_>> {
    let mut rows = matching_projects!(projects::table.select(ProjectOverviewRow::as_select()), query);
    if query.page.offset > 0 {
        let first = matching_projects!(projects::table.select(projects::id), query);
        let first = first.limit(1).offset(page_offset(query.page)).single_value();
        rows = rows.filter(projects::id.nullable().ge(first));
    }
    Unprepared(rows.limit(page_limit(query.page)))
}
