//! Statements that create API tokens within a transaction.

use std::{collections::HashSet, sync::Arc};

use diesel::{insert_into, pg::Pg, query_builder::QueryFragment, result::Error};
use diesel_async::RunQueryDsl;
use latchkey_domain::{EnvironmentName, EventId, ProjectId};
use latchkey_ports::{Demand, Entity, KeptAnswer, NewToken, SecretDigest, StoreError, StoredToken};
use latchkey_sql::{
    columns::{DbId, Id},
    errors::{DbError, conflict, conflict_of, not_found},
    rows::NewTokenRow,
    schema::api_tokens,
};

use crate::{
    PostgresStore,
    answers::keep_answer,
    connection::Connection,
    creation_groups::{Created, MAX_TOKENS},
    events::record_all,
    insertion::{Insertion, ROWS_AT_ONCE},
    locks::{
        ALL_PROJECTS, EventLogHeld, first_missing, lock, lock_environments, lock_event_log, lock_projects,
        share, share_event_log, share_projects,
    },
    token_queries::{any_token, count_tokens_of_all_projects, count_tokens_of_projects},
    token_writes::check_new_secrets,
};

/// Whether other transactions create tokens in the same projects meanwhile.
///
/// They may while there is room for all of them: while the number of tokens that are visible, plus [`MAX_TOKENS`] for each
/// connection that the server allows, is within the quota. Then no order of creations exceeds it. Suppose that more tokens
/// than the quota were committed, and consider the transaction that counted last. At that moment the others had ended, or
/// they ran, one on a connection; so the visible tokens were more than the quota less [`MAX_TOKENS`] for each connection,
/// and it was refused. A transaction of more tokens than that, or one near the quota, runs alone: it begins to count when
/// the others have ended, and they count when it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crowding {
    Shared,
    Alone,
}

/// Creates all of these tokens or none, in a transaction: beside others if there is room for all, alone otherwise. Keeps the
/// answer, if there is one, unless another is kept under its key.
pub(crate) async fn create_in_transaction(
    store: &PostgresStore,
    tokens: Arc<[NewToken]>,
    answer: Option<Arc<KeptAnswer>>,
) -> Created {
    let mut crowding = if tokens.len() > MAX_TOKENS { Crowding::Alone } else { Crowding::Shared };
    loop {
        let (tokens, answer) = (Arc::clone(&tokens), answer.clone());
        let created = store
            .write(async move |connection| {
                create_tokens(connection, &tokens, answer.as_deref(), crowding).await
            })
            .await?;
        if let Some(created) = created {
            return Ok(created);
        }
        crowding = Crowding::Alone;
    }
}

/// Inserts these tokens, each with its event, if the quotas allow it, and returns the numbers of the events. `None`: there
/// may be no room for all that are created meanwhile, so it must run alone.
async fn create_tokens(
    connection: &mut Connection,
    tokens: &[NewToken],
    answer: Option<&KeptAnswer>,
    crowding: Crowding,
) -> Result<Option<Vec<EventId>>, DbError> {
    let places = Places::hold(connection, tokens, crowding).await?;
    tokens.iter().try_for_each(|new| places.check(&new.token))?;
    if !have_room(connection, tokens, crowding).await? {
        return Ok(None);
    }
    // Not before: without room, the transaction is committed as it is.
    if let Some(answer) = answer {
        keep_answer(connection, answer).await?;
    }
    let created = if tokens.iter().any(|new| new.token.alias.is_some()) {
        let writing = lock_event_log(connection).await?;
        insert_with_events(connection, &writing, tokens).await?
    } else {
        let writing = share_event_log(connection).await?;
        insert_with_events(connection, &writing, tokens).await?
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
    insert_with_events(connection, &writing, tokens).await?;
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

/// Returns whether there is room beside those that there are and, if others are created meanwhile, for as many as can be
/// created over the server's connections.
fn fits(demand: Demand, count: i64, connections: &str, crowding: Crowding) -> Result<bool, StoreError> {
    let count = count.unsigned_abs();
    demand.check(count)?;
    // Without a number there is no room to be sure of.
    let connections: u64 = connections.parse().unwrap_or(u64::MAX);
    let meanwhile = connections.saturating_mul(MAX_TOKENS as u64);
    Ok(crowding == Crowding::Alone || count.saturating_add(meanwhile) <= demand.quota.0)
}

/// Inserts tokens and their events, in their order.
async fn insert_with_events(
    connection: &mut Connection,
    writing: &impl EventLogHeld,
    tokens: &[NewToken],
) -> Result<Vec<EventId>, DbError> {
    let stored: Vec<_> = tokens.iter().map(|new| &new.token).collect();
    insert_tokens(connection, writing, &stored).await?;
    let events: Vec<_> = tokens.iter().map(|new| &new.event).collect();
    record_all(connection, writing, &events).await
}

/// Inserts tokens.
pub(crate) async fn insert_tokens(
    connection: &mut Connection,
    writing: &impl EventLogHeld,
    tokens: &[&StoredToken],
) -> Result<(), DbError> {
    for some in tokens.chunks(ROWS_AT_ONCE) {
        let digests: Vec<SecretDigest> = some.iter().flat_map(|token| token.current_digests()).collect();
        // The unique indexes do not compare a secret with an alias.
        let mut distinct = HashSet::new();
        if !digests.iter().all(|digest| distinct.insert(digest)) {
            return Err(conflict(Entity::Secret));
        }
        check_new_secrets(connection, writing, &digests).await?;
        insertion(some).execute(connection).await.map_err(|error| conflict_among(some, error))?;
    }
    Ok(())
}

/// Finds what exists already, if the insertion of these tokens failed for that.
fn conflict_among(tokens: &[&StoredToken], error: Error) -> DbError {
    let details = match &error {
        Error::DatabaseError(_, information) => information.details().unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    // Of several ids, the details name the one: `Key (id)=(…) already exists.`
    let mut ids = tokens.iter().map(|stored| stored.token.id);
    let existing = ids.find(|id| tokens.len() == 1 || details.contains(&id.to_string()));
    conflict_of(|constraint| match constraint {
        "api_tokens_id_unique" | "api_token_projects_pkey" => existing.map(Entity::Token),
        "api_tokens_secret_unique" | "api_tokens_alias_unique" | "api_tokens_by_selector" => {
            Some(Entity::Secret)
        }
        _ => None,
    })(error)
}

/// Inserts tokens and the projects that they name.
fn insertion<'a>(tokens: &'a [&StoredToken]) -> Insertion<'a, impl QueryFragment<Pg> + Send + 'a, DbId, Id> {
    let rows: Vec<_> = tokens.iter().map(|stored| NewTokenRow::from(*stored)).collect();
    let named = tokens
        .iter()
        .map(|StoredToken { token, .. }| (DbId::from(token.id), token.access.projects().named()));
    Insertion::new(
        insert_into(api_tokens::table).values(rows),
        ") INSERT INTO api_token_projects (token_id, project_id, position) \
         SELECT named.owner, named.project, named.position FROM ",
        named,
        "",
    )
}
