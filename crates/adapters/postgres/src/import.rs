//! The port of imports.

use async_trait::async_trait;
use diesel::{OptionalExtension, QueryDsl, insert_into, update};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use latchkey_domain::{
    EnvironmentName, Event, EventId, NewEvent, NewPersonalToken, NewUser, Project, ProjectId, RoleId, UserId,
};
use latchkey_ports::{
    Entity, Import, ImportRepository, ImportedPersonalToken, ImportedProject, ImportedUser, References,
    ResolvedMemberships, StoreError, TokenPortions,
};
use latchkey_sql::{
    errors::{DbError, conflict_of, not_found, personal_token_conflict, store_error, user_conflict},
    queries,
    rows::{self, NewEnvironmentRow, NewPersonalTokenRow, NewProjectRow, NewUserRow, ProjectRow},
    schema::{environments, personal_tokens, projects, users},
};

use crate::{
    PostgresStore,
    archive::INDEX_PLANS,
    connection::Connection,
    events::record_all,
    groups::insert_group,
    imported_events::insert_events,
    insertion::ROWS_AT_ONCE,
    large_import::add_portions,
    locks::{
        EventLogLock, first_missing, lock_environments, lock_event_log, lock_projects, lock_roles, lock_users,
    },
    memberships::give_each,
    projects::{insert_project, link_environments},
    roles::insert_role,
    token_creation::insert_tokens,
};

#[async_trait]
impl ImportRepository for PostgresStore {
    async fn import(&self, import: Import) -> Result<(), StoreError> {
        self.write(async move |connection| add(connection, &import).await.map(drop)).await
    }

    async fn import_many(&self, import: Import, portions: TokenPortions) -> Result<(), StoreError> {
        self.write_without_limits(async move |connection| {
            let lock = add(connection, &import).await?;
            add_portions(connection, &lock, portions).await
        })
        .await
    }

    async fn import_events(&self, events: &[Event]) -> Result<(), StoreError> {
        // Not as a change: nothing is announced, and no number is drawn.
        let mut connection = self.connection().await?;
        Ok(insert_events(&mut connection, events).await?)
    }

    async fn event_ids(&self, first: EventId, last: EventId) -> Result<Vec<EventId>, StoreError> {
        let mut connection = self.connection().await?;
        let ids: Vec<i64> =
            queries::event_ids(first.0, last.0).load(&mut connection).await.map_err(store_error)?;
        Ok(ids.into_iter().map(EventId).collect())
    }
}

/// Adds an import, and returns the lock under which it did.
async fn add(connection: &mut Connection, import: &Import) -> Result<EventLogLock, DbError> {
    connection.batch_execute(INDEX_PLANS).await?;
    hold(connection, &import.references()?).await?;
    let lock = lock_event_log(connection).await?;
    let mut events: Vec<NewEvent> = Vec::new();

    for (environment, event) in &import.environments {
        insert_into(environments::table)
            .values(NewEnvironmentRow::from(environment))
            .execute(connection)
            .await
            .map_err(conflict_of(|_| Some(Entity::Environment(environment.name.clone()))))?;
        events.push(event.clone());
    }
    for project in &import.projects {
        add_project(connection, &lock, project).await?;
        events.push(project.event.clone());
    }
    let mut roles = Vec::with_capacity(import.roles.len());
    for (role, event) in &import.roles {
        let id = insert_role(connection, &lock, role).await?;
        events.push(event.clone().with_assigned_id(id.0));
        roles.push(id);
    }
    let mut users = Vec::with_capacity(import.users.len());
    for some in import.users.chunks(ROWS_AT_ONCE) {
        users.extend(add_users(connection, some, &roles, &mut events).await?);
    }
    let mut groups = Vec::with_capacity(import.groups.len());
    for given in &import.groups {
        let group = given.resolve(&roles, &users)?;
        let id = insert_group(connection, &lock, &group).await?;
        events.push(given.event.clone().with_after(&group).with_assigned_id(id.0));
        groups.push(id);
    }
    for memberships in &import.memberships {
        let ResolvedMemberships { role, holders, event } = memberships.resolve(&roles, &users, &groups)?;
        let given = holders.into_iter().map(|(holder, at)| (holder, role, at));
        give_each(connection, &lock, &memberships.project, given).await?;
        events.push(event);
    }
    for some in import.personal_tokens.chunks(ROWS_AT_ONCE) {
        add_personal_tokens(connection, some, &users, &mut events).await?;
    }
    insert_tokens(connection, &lock, &import.tokens.iter().collect::<Vec<_>>()).await?;
    let events: Vec<&NewEvent> = events.iter().chain(&import.token_events).collect();
    record_all(connection, &lock, &events).await?;
    Ok(lock)
}

/// Keeps everything that the import refers to until the transaction ends, and fails with the first that does not exist. No
/// other transaction creates tokens in these projects meanwhile.
async fn hold(connection: &mut Connection, named: &References<'_>) -> Result<(), DbError> {
    let projects: Vec<&ProjectId> = named.projects.iter().copied().collect();
    let ids: Vec<&str> = projects.iter().map(|id| id.as_str()).collect();
    let found = lock_projects(connection, &ids).await?;
    if let Some(id) = first_missing(&projects, |id| id.as_str(), &found) {
        return Err(not_found(Entity::Project((*id).clone())));
    }
    let environments: Vec<&EnvironmentName> = named.environments.iter().copied().collect();
    let found = lock_environments(connection, &environments).await?;
    if let Some(name) = first_missing(&environments, |name| name.as_str(), &found) {
        return Err(not_found(Entity::Environment((*name).clone())));
    }
    let ids: Vec<RoleId> = named.roles.iter().map(|(id, _)| *id).collect();
    let found = lock_roles(connection, &ids).await?;
    let is_there = |(id, of_instance): &&(RoleId, bool)| {
        found.iter().any(|(known, kind)| known == id && kind.is_root() == *of_instance)
    };
    if let Some((id, _)) = named.roles.iter().find(|role| !is_there(role)) {
        return Err(not_found(Entity::Role(*id)));
    }
    let ids: Vec<UserId> = named.users.iter().copied().collect();
    let found = lock_users(connection, &ids).await?;
    match first_missing(&ids, |id| id, &found) {
        Some(id) => Err(not_found(Entity::User(*id))),
        None => Ok(()),
    }
}

async fn add_project(
    connection: &mut Connection,
    lock: &EventLogLock,
    new: &ImportedProject,
) -> Result<(), DbError> {
    let ImportedProject { project, environments, replaces, .. } = new;
    if let Some(before) = replaces {
        // It is locked, and it is read under the event-log lock, under which alone projects change.
        let id = project.id.as_str();
        let kept: Option<ProjectRow> = queries::project(id).first(connection).await.optional()?;
        let kept = rows::optional::<_, Project>(kept)?;
        StoreError::check_unchanged(kept.as_ref(), before, Entity::Project(project.id.clone()))?;
        update(projects::table.find(id)).set(NewProjectRow::from(project)).execute(connection).await?;
    } else {
        insert_project(connection, lock, project).await?;
    }
    link_environments(connection, lock, &project.id, environments).await
}

/// Inserts some users and returns their ids.
async fn add_users(
    connection: &mut Connection,
    some: &[ImportedUser],
    roles: &[RoleId],
    events: &mut Vec<NewEvent>,
) -> Result<Vec<UserId>, DbError> {
    let new: Vec<NewUser> = some.iter().map(|user| user.resolve(roles)).collect::<Result<_, _>>()?;
    let rows: Vec<_> = new
        .iter()
        .zip(some)
        .map(|(user, given)| NewUserRow::new(user, given.password.as_ref()).seen_at(given.last_seen_at))
        .collect();
    let mut ids: Vec<i64> = insert_into(users::table)
        .values(rows)
        .returning(users::id)
        .load(connection)
        .await
        .map_err(conflict_of(user_conflict))?;
    // Ids are given in the order of the rows.
    ids.sort_unstable();
    for ((user, imported), id) in new.iter().zip(some).zip(&ids) {
        events.push(imported.event.clone().with_after(user).with_assigned_id(*id));
    }
    Ok(ids.into_iter().map(UserId).collect())
}

async fn add_personal_tokens(
    connection: &mut Connection,
    some: &[ImportedPersonalToken],
    users: &[UserId],
    events: &mut Vec<NewEvent>,
) -> Result<(), DbError> {
    let new: Vec<NewPersonalToken> =
        some.iter().map(|token| token.resolve(users)).collect::<Result<_, _>>()?;
    let rows: Vec<_> = new
        .iter()
        .zip(some)
        .map(|(token, given)| NewPersonalTokenRow::new(token, &given.secret).seen_at(given.last_used_at))
        .collect();
    let mut ids: Vec<i64> = insert_into(personal_tokens::table)
        .values(rows)
        .returning(personal_tokens::id)
        .load(connection)
        .await
        .map_err(conflict_of(personal_token_conflict))?;
    ids.sort_unstable();
    for ((token, given), id) in new.iter().zip(some).zip(ids) {
        events.push(given.event.clone().with_after(token).with_assigned_id(id));
    }
    Ok(())
}
