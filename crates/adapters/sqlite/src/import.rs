//! The port of imports.

use async_trait::async_trait;
use diesel::{QueryDsl, RunQueryDsl, SqliteConnection, insert_into, update};
use futures_util::TryStreamExt;
use latchkey_domain::{Event, EventId, NewEvent, RoleId, UserId};
use latchkey_ports::{
    Entity, Import, ImportRepository, ImportedPersonalToken, ImportedProject, ImportedUser, References,
    ResolvedMemberships, StoreError, TokenPortion, TokenPortions,
};
use latchkey_sql::{
    errors::{DbError, conflict_of, personal_token_conflict, user_conflict},
    queries,
    rows::{NewEnvironmentRow, NewPersonalTokenRow, NewProjectRow, NewUserRow},
    schema::{environments, personal_tokens, projects, users},
};
use tokio::runtime::Handle;

use crate::{
    SqliteStore,
    events::{insert_imported, record},
    existence::{check_environment, check_project, check_role, check_user},
    groups::insert_group,
    memberships::give_one,
    projects::{find_project, insert_project, link_environments},
    roles::insert_role,
    token_writes::insert_token,
};

#[async_trait]
impl ImportRepository for SqliteStore {
    async fn import(&self, import: Import) -> Result<(), StoreError> {
        self.write(move |connection| add(connection, &import)).await
    }

    async fn import_many(&self, import: Import, mut portions: TokenPortions) -> Result<(), StoreError> {
        let runtime = Handle::current();
        self.write(move |connection| {
            add(connection, &import)?;
            while let Some(portion) = runtime.block_on(portions.try_next())? {
                let TokenPortion { tokens, events: token_events } = portion;
                add(connection, &Import { tokens, token_events, ..Import::default() })?;
            }
            Ok(())
        })
        .await
    }

    async fn import_events(&self, events: &[Event]) -> Result<(), StoreError> {
        let events = events.to_vec();
        self.write(move |connection| events.iter().try_for_each(|event| insert_imported(connection, event)))
            .await
    }

    async fn event_ids(&self, first: EventId, last: EventId) -> Result<Vec<EventId>, StoreError> {
        self.read_snapshot(move |connection| {
            let ids: Vec<i64> = queries::event_ids(first.0, last.0).load(connection)?;
            Ok(ids.into_iter().map(EventId).collect())
        })
        .await
    }
}

fn add(connection: &mut SqliteConnection, import: &Import) -> Result<(), DbError> {
    check(connection, &import.references()?)?;
    for (environment, event) in &import.environments {
        insert_into(environments::table)
            .values(NewEnvironmentRow::from(environment))
            .execute(connection)
            .map_err(conflict_of(|_| Some(Entity::Environment(environment.name.clone()))))?;
        record(connection, event)?;
    }
    for project in &import.projects {
        add_project(connection, project)?;
        record(connection, &project.event)?;
    }
    let mut roles = Vec::with_capacity(import.roles.len());
    for (role, event) in &import.roles {
        let id = insert_role(connection, role)?;
        record(connection, &event.clone().with_assigned_id(id.0))?;
        roles.push(id);
    }
    let mut users = Vec::with_capacity(import.users.len());
    for user in &import.users {
        users.push(add_user(connection, user, &roles)?);
    }
    let mut groups = Vec::with_capacity(import.groups.len());
    for given in &import.groups {
        let group = given.resolve(&roles, &users)?;
        let id = insert_group(connection, &group)?;
        record(connection, &given.event.clone().with_after(&group).with_assigned_id(id.0))?;
        groups.push(id);
    }
    for given in &import.memberships {
        let ResolvedMemberships { role, holders, event } = given.resolve(&roles, &users, &groups)?;
        for (holder, at) in holders {
            give_one(connection, holder, &given.project, role, at)?;
        }
        record(connection, &event)?;
    }
    for token in &import.personal_tokens {
        add_personal_token(connection, token, &users)?;
    }
    for token in &import.tokens {
        insert_token(connection, token)?;
    }
    import.token_events.iter().try_for_each(|event| record(connection, event).map(drop))
}

/// Fails with the first entry that the import refers to and that does not exist.
fn check(connection: &mut SqliteConnection, named: &References<'_>) -> Result<(), DbError> {
    named.projects.iter().try_for_each(|id| check_project(connection, id))?;
    named.environments.iter().try_for_each(|name| check_environment(connection, name))?;
    named.roles.iter().try_for_each(|(id, of_instance)| check_role(connection, *id, *of_instance))?;
    named.users.iter().try_for_each(|id| check_user(connection, *id))
}

fn add_project(connection: &mut SqliteConnection, new: &ImportedProject) -> Result<(), DbError> {
    let ImportedProject { project, environments, replaces, .. } = new;
    if let Some(before) = replaces {
        let kept = find_project(connection, &project.id)?;
        StoreError::check_unchanged(kept.as_ref(), before, Entity::Project(project.id.clone()))?;
        update(projects::table.find(project.id.as_str()))
            .set(NewProjectRow::from(project))
            .execute(connection)?;
    } else {
        insert_project(connection, project)?;
    }
    link_environments(connection, &project.id, environments)
}

fn add_user(
    connection: &mut SqliteConnection,
    given: &ImportedUser,
    roles: &[RoleId],
) -> Result<UserId, DbError> {
    let user = given.resolve(roles)?;
    let id: i64 = insert_into(users::table)
        .values(NewUserRow::new(&user, given.password.as_ref()).seen_at(given.last_seen_at))
        .returning(users::id)
        .get_result(connection)
        .map_err(conflict_of(user_conflict))?;
    let event: NewEvent = given.event.clone().with_after(&user).with_assigned_id(id);
    record(connection, &event)?;
    Ok(UserId(id))
}

fn add_personal_token(
    connection: &mut SqliteConnection,
    given: &ImportedPersonalToken,
    users: &[UserId],
) -> Result<(), DbError> {
    let token = given.resolve(users)?;
    let id: i64 = insert_into(personal_tokens::table)
        .values(NewPersonalTokenRow::new(&token, &given.secret).seen_at(given.last_used_at))
        .returning(personal_tokens::id)
        .get_result(connection)
        .map_err(conflict_of(personal_token_conflict))?;
    record(connection, &given.event.clone().with_after(&token).with_assigned_id(id))?;
    Ok(())
}
