//! Statements that create API tokens within a transaction.

use std::collections::HashSet;

use diesel::{
    QueryResult, insert_into,
    pg::Pg,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{Array, Text},
};
use diesel_async::RunQueryDsl;
use futures_util::{FutureExt, future::BoxFuture};
use latchkey_domain::{EnvironmentName, EventId, ProjectId};
use latchkey_ports::{Demand, Entity, NewToken, StoreError, StoredToken};
use latchkey_sql::{
    columns::{DbId, Id},
    errors::{DbError, conflict, conflict_of, not_found},
    rows::NewTokenRow,
    schema::api_tokens,
};

use crate::{
    connection::{Connection, pipelined},
    events::recording,
    locks::{
        ALL_PROJECTS, EventLogHeld, first_missing, lock, lock_environments, lock_event_log, lock_projects,
        share, share_event_log, share_projects,
    },
    token_queries::{any_token, count_tokens_of_all_projects, count_tokens_of_projects},
    token_writes::check_new_secrets,
};

/// Whether other transactions create tokens in the same projects meanwhile.
///
/// They may while there is room for all of them: while the number of tokens that are visible, plus the number of
/// connections that the server allows, is within the quota. Then no order of single creations exceeds it. Suppose that
/// more tokens than the quota were committed, and consider the one that was counted for last. At that moment the others
/// were visible, or their transactions ran, one on a connection; so the visible ones were more than the quota less the
/// connections, and the creation was refused. A creation of several tokens, or one near the quota, runs alone: it begins
/// to count when the others have ended, and they count when it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crowding {
    Shared,
    Alone,
}

/// Inserts these tokens, each with its event, if the quotas allow it, and returns the numbers of the events. `None`: there
/// may be no room for all that are created meanwhile, so it must run alone.
pub(crate) async fn create_tokens(
    connection: &mut Connection,
    tokens: &[NewToken],
    crowding: Crowding,
) -> Result<Option<Vec<EventId>>, DbError> {
    let places = Places::hold(connection, tokens, crowding).await?;
    tokens.iter().try_for_each(|new| places.check(&new.token))?;
    if !have_room(connection, tokens, crowding).await? {
        return Ok(None);
    }
    let created = if tokens.iter().any(|new| new.token.alias.is_some()) {
        let writing = lock_event_log(connection).await?;
        insert_tokens(connection, &writing, tokens).await?
    } else {
        let writing = share_event_log(connection).await?;
        insert_tokens(connection, &writing, tokens).await?
    };
    Ok(Some(created))
}

/// Inserts these tokens, each with its event, if there is no token yet.
pub(crate) async fn create_first_tokens(
    connection: &mut Connection,
    tokens: &[NewToken],
) -> Result<bool, DbError> {
    if any_token(connection).await? {
        return Ok(false);
    }
    let places = Places::hold(connection, tokens, Crowding::Alone).await?;
    let writing = lock_event_log(connection).await?;
    // No other transaction writes from here on, so this stays true.
    if any_token(connection).await? {
        return Ok(false);
    }
    tokens.iter().try_for_each(|new| places.check(&new.token))?;
    insert_tokens(connection, &writing, tokens).await?;
    Ok(true)
}

/// The projects and environments that tokens name, as far as they exist. They are locked, so no other transaction can
/// remove one.
struct Places {
    projects: Vec<String>,
    environments: Vec<String>,
}

impl Places {
    async fn hold(
        connection: &mut Connection,
        tokens: &[NewToken],
        crowding: Crowding,
    ) -> Result<Self, DbError> {
        let (mut projects, mut environments) = (Vec::new(), Vec::new());
        for NewToken { token, .. } in tokens {
            projects.extend(token.token.access.projects().named().iter().map(ProjectId::as_str));
            environments.extend(token.token.access.environment());
        }
        Ok(Self {
            projects: match crowding {
                Crowding::Shared => share_projects(connection, &projects).await?,
                Crowding::Alone => lock_projects(connection, &projects).await?,
            },
            environments: lock_environments(connection, &environments).await?,
        })
    }

    /// Finds what the token names: first the environment, then the projects.
    fn check(&self, stored: &StoredToken) -> Result<(), DbError> {
        let access = &stored.token.access;
        let environment = access.environment().map(std::slice::from_ref).unwrap_or_default();
        if let Some(name) = first_missing(environment, EnvironmentName::as_str, &self.environments) {
            return Err(not_found(Entity::Environment(name.clone())));
        }
        match first_missing(access.projects().named(), ProjectId::as_str, &self.projects) {
            Some(id) => Err(not_found(Entity::Project(id.clone()))),
            None => Ok(()),
        }
    }
}

/// Counts for the quotas, and returns whether there is room for these tokens (see [`Crowding`]).
async fn have_room(
    connection: &mut Connection,
    tokens: &[NewToken],
    crowding: Crowding,
) -> Result<bool, DbError> {
    let mut demands = Demand::of(tokens);
    let of_all_projects = demands.remove(&None);
    let ids: Vec<&str> = demands.keys().copied().flatten().map(ProjectId::as_str).collect();
    let mut have_room = true;
    if !ids.is_empty() {
        let counts: Vec<(i64, String)> = count_tokens_of_projects(&ids).load(connection).await?;
        for (demand, (count, connections)) in demands.values().zip(counts) {
            have_room &= fits(*demand, count, &connections, crowding)?;
        }
    }
    if let Some(demand) = of_all_projects {
        match crowding {
            Crowding::Shared => share(connection, ALL_PROJECTS).await?,
            Crowding::Alone => lock(connection, ALL_PROJECTS).await?,
        }
        let (count, connections): (i64, String) =
            count_tokens_of_all_projects().get_result(connection).await?;
        have_room &= fits(demand, count, &connections, crowding)?;
    }
    Ok(have_room)
}

/// Returns whether there is room beside those that there are and, if others are created meanwhile, for as many as the
/// server's connections can create.
fn fits(demand: Demand, count: i64, connections: &str, crowding: Crowding) -> Result<bool, StoreError> {
    let count = count.unsigned_abs();
    demand.check(count)?;
    // Without a number there is no room to be sure of.
    let connections: u64 = connections.parse().unwrap_or(u64::MAX);
    Ok(crowding == Crowding::Alone || count.saturating_add(connections) <= demand.quota.0)
}

/// Inserts tokens and their events, in their order. The statements are sent at once, however many there are.
async fn insert_tokens(
    connection: &mut Connection,
    writing: &impl EventLogHeld,
    tokens: &[NewToken],
) -> Result<Vec<EventId>, DbError> {
    let Some(first) = tokens.first() else { return Ok(Vec::new()) };
    let mut digests = Vec::new();
    for NewToken { token, .. } in tokens {
        digests.push(&token.secret.digest);
        digests.extend(token.alias.as_ref().map(|alias| &alias.digest));
    }
    // The unique indexes do not compare a secret with an alias.
    let mut distinct = HashSet::new();
    if !digests.iter().all(|digest| distinct.insert(digest)) {
        return Err(conflict(Entity::Secret));
    }
    check_new_secrets(connection, writing, &digests).await?;
    connection.prepare(&insertion(&first.token)).await?;
    connection.prepare(&recording(&first.event)).await?;
    let shared = &*connection;
    let mut calls: Vec<BoxFuture<'_, Result<Option<EventId>, DbError>>> = Vec::new();
    for NewToken { token, event, .. } in tokens {
        let id = token.token.id;
        let inserting = insertion(token);
        let inserted = async move {
            inserting.execute(&mut &*shared).await.map_err(conflict_of(|constraint| match constraint {
                "api_tokens_id_unique" | "api_token_projects_pkey" => Some(Entity::Token(id)),
                "api_tokens_secret_unique" | "api_tokens_alias_unique" => Some(Entity::Secret),
                _ => None,
            }))?;
            Ok(None)
        };
        let recording = recording(event);
        let recorded = async move {
            let number: i64 = recording.get_result(&mut &*shared).await?;
            Ok(Some(EventId(number)))
        };
        calls.push(inserted.boxed());
        calls.push(recorded.boxed());
    }
    let numbers: Vec<Option<EventId>> = pipelined(calls).await?;
    Ok(numbers.into_iter().flatten().collect())
}

/// Inserts a token and the projects that it names.
fn insertion(
    stored: &StoredToken,
) -> InsertionWithProjects<'_, impl QueryFragment<Pg> + QueryId + Send + '_> {
    InsertionWithProjects {
        token: insert_into(api_tokens::table).values(NewTokenRow::from(stored)),
        id: stored.token.id.into(),
        projects: stored.token.access.projects().named().iter().map(ProjectId::as_str).collect(),
    }
}

struct InsertionWithProjects<'a, I> {
    token: I,
    id: DbId,
    projects: Vec<&'a str>,
}

impl<I: QueryId> QueryId for InsertionWithProjects<'_, I> {
    type QueryId = InsertionWithProjects<'static, I::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = I::HAS_STATIC_QUERY_ID;
}

impl<I: QueryFragment<Pg>> QueryFragment<Pg> for InsertionWithProjects<'_, I> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH created AS (");
        self.token.walk_ast(out.reborrow())?;
        out.push_sql(
            ") INSERT INTO api_token_projects (token_id, project_id, position) \
             SELECT ",
        );
        out.push_bind_param::<Id, _>(&self.id)?;
        out.push_sql(", named.project, named.place - 1 FROM unnest(");
        out.push_bind_param::<Array<Text>, _>(&self.projects)?;
        out.push_sql(") WITH ORDINALITY AS named (project, place)");
        Ok(())
    }
}
