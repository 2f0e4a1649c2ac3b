//! How a place goes, and what becomes of the tokens that name it.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, delete, dsl::array};
use diesel_async::RunQueryDsl;
use latchkey_domain::{ApiToken, EnvironmentRemoval, EventId, NewEvent, ProjectRemoval, RemovalOutcome};
use latchkey_ports::{Entity, StoredToken};
use uuid::Uuid;

use crate::{
    connection::Connection,
    errors::{Failure, not_found},
    events::{record, record_all},
    locks::{Numbering, number},
    rows::{self, TokenRow},
    schema::{api_token_projects, api_tokens, environments, projects},
    token_queries::{by_ids, ids_of_project},
};

/// Removes a project. Nobody can create tokens in it from the moment that it is held.
pub(crate) async fn project(
    connection: &mut Connection,
    removal: &ProjectRemoval,
) -> Result<EventId, Failure> {
    let id = removal.project.as_str();
    let project = projects::table.find(id);
    let held: Option<String> =
        project.select(projects::id).for_update().first(connection).await.optional()?;
    if held.is_none() {
        return Err(not_found(Entity::Project(removal.project.clone())));
    }
    let ids: Vec<Uuid> = api_tokens::table
        .filter(api_tokens::id.eq_any(array(ids_of_project(id))))
        .order(api_tokens::id)
        .select(api_tokens::id)
        .for_update()
        .load(connection)
        .await?;
    let fates = fates(connection, &ids, |token| removal.outcome_of(token)).await?;
    let writing = number(connection).await?;
    // Of a token that is narrowed, this is what it loses.
    delete(api_token_projects::table.filter(api_token_projects::project_id.eq(id)))
        .execute(connection)
        .await?;
    meet(connection, &writing, &fates).await?;
    delete(project).execute(connection).await?;
    record(connection, &writing, &removal.event).await
}

/// Removes an environment. Nobody can create tokens in it from the moment that it is held.
pub(crate) async fn environment(
    connection: &mut Connection,
    removal: &EnvironmentRemoval,
) -> Result<EventId, Failure> {
    let name = removal.environment.as_str();
    let environment = environments::table.find(name);
    let held: Option<String> =
        environment.select(environments::name).for_update().first(connection).await.optional()?;
    if held.is_none() {
        return Err(not_found(Entity::Environment(removal.environment.clone())));
    }
    let ids: Vec<Uuid> = api_tokens::table
        .filter(api_tokens::environment.eq(name))
        .order(api_tokens::id)
        .select(api_tokens::id)
        .for_update()
        .load(connection)
        .await?;
    let fates = fates(connection, &ids, |token| removal.outcome_of(token)).await?;
    let writing = number(connection).await?;
    meet(connection, &writing, &fates).await?;
    delete(environment).execute(connection).await?;
    record(connection, &writing, &removal.event).await
}

/// What becomes of these tokens, which are held. They are read in a statement of its own, because the one that waited for
/// them saw their projects as they were before.
async fn fates(
    connection: &mut Connection,
    ids: &[Uuid],
    outcome_of: impl Fn(&ApiToken) -> RemovalOutcome + Send,
) -> Result<Vec<(Uuid, RemovalOutcome)>, Failure> {
    let rows: Vec<TokenRow> = by_ids(ids).load(connection).await?;
    let tokens: Vec<StoredToken> = rows::all(rows)?;
    Ok(tokens.iter().map(|stored| (stored.token.id.as_uuid(), outcome_of(&stored.token))).collect())
}

/// Revokes those that are to be revoked, and records what becomes of each.
async fn meet(
    connection: &mut Connection,
    writing: &Numbering,
    fates: &[(Uuid, RemovalOutcome)],
) -> Result<(), Failure> {
    let revoked = fates.iter().filter(|(_, fate)| matches!(fate, RemovalOutcome::Revoked { .. }));
    let revoked: Vec<Uuid> = revoked.map(|(id, _)| *id).collect();
    delete(api_tokens::table.filter(api_tokens::id.eq_any(revoked))).execute(connection).await?;
    let events: Vec<&NewEvent> = fates.iter().map(|(_, fate)| fate.event()).collect();
    record_all(connection, writing, &events).await
}
