//! Statements that create, change and remove API tokens within a transaction.

use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, delete, dsl::exists, insert_into,
    select, update,
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{
    ApiToken, EnvironmentName, EventId, NewEvent, ProjectId, ProjectScope, RemovalOutcome, Timestamp, TokenId,
};
use latchkey_ports::{
    Entity, FirstToken, Quota, Rotation, SecretDigest, SecretRecord, StoreError, StoredToken,
};
use latchkey_sql::{
    columns::{DbId, DbTime},
    errors::{DbError, conflict, conflict_of, not_found, stale},
    rows::{self, ChangeableTokenRow, ChangedSecretRow, ChangedTokenRow, NewTokenRow, RetiredSecretRow},
    schema::{api_token_projects, api_tokens, retired_secrets},
};

use crate::{
    connection::Connection,
    events::{record, record_all},
    locks::{
        ALL_PROJECTS, EventLogLock, first_missing, lock, lock_environments, lock_event_log, lock_projects,
    },
    token_queries::{
        TokenRow, count_tokens_of_all_projects, count_tokens_of_projects, token_by_digest, tokens_by_ids,
    },
};

/// Inserts a token and its event, if the quota allows it.
pub(crate) async fn create_token(
    connection: &mut Connection,
    stored: &StoredToken,
    quota: Quota,
    event: &NewEvent,
) -> Result<EventId, DbError> {
    Places::lock(connection, &[stored]).await?.check(stored)?;
    check_quota(connection, stored.token.access.projects(), quota).await?;
    let writing = lock_event_log(connection).await?;
    insert_token(connection, &writing, stored).await?;
    record(connection, &writing, event).await
}

/// Inserts these tokens, each with its event, if there is no token yet.
pub(crate) async fn create_first_tokens(
    connection: &mut Connection,
    tokens: &[FirstToken],
) -> Result<bool, DbError> {
    if any_token(connection).await? {
        return Ok(false);
    }
    let all: Vec<&StoredToken> = tokens.iter().map(|first| &first.token).collect();
    let places = Places::lock(connection, &all).await?;
    let writing = lock_event_log(connection).await?;
    // No other transaction writes from here on, so this stays true.
    if any_token(connection).await? {
        return Ok(false);
    }
    for FirstToken { token, event } in tokens {
        places.check(token)?;
        insert_token(connection, &writing, token).await?;
        record(connection, &writing, event).await?;
    }
    Ok(true)
}

async fn any_token(connection: &mut Connection) -> Result<bool, DbError> {
    Ok(select(exists(api_tokens::table.select(api_tokens::id))).get_result(connection).await?)
}

/// The projects and environments that tokens name, as far as they exist. They are locked: no other transaction can count or
/// create tokens in them, or remove one.
struct Places {
    projects: Vec<String>,
    environments: Vec<String>,
}

impl Places {
    async fn lock(connection: &mut Connection, tokens: &[&StoredToken]) -> Result<Self, DbError> {
        let accesses = || tokens.iter().map(|stored| &stored.token.access);
        let projects: Vec<_> = accesses().flat_map(|access| access.projects().named()).collect();
        let environments: Vec<_> = accesses().filter_map(|access| access.environment()).collect();
        Ok(Self {
            projects: lock_projects(connection, &projects).await?,
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

async fn check_quota(
    connection: &mut Connection,
    projects: &ProjectScope,
    Quota(limit): Quota,
) -> Result<(), DbError> {
    let count = match projects {
        ProjectScope::All => {
            lock(connection, ALL_PROJECTS).await?;
            count_tokens_of_all_projects().get_result::<i64>(connection).await?
        }
        ProjectScope::Only(set) => {
            let ids: Vec<_> = set.as_slice().iter().map(ProjectId::as_str).collect();
            count_tokens_of_projects(&ids).load::<i64>(connection).await?.into_iter().max().unwrap_or(0)
        }
    };
    Ok(StoreError::check_limit(count.unsigned_abs(), limit)?)
}

/// Fails if any token has one of these secrets, as secret, alias or retired secret. The unique indexes cover only one of
/// these columns each.
pub(crate) async fn check_new_secrets(
    connection: &mut Connection,
    _writing: &EventLogLock,
    records: impl Iterator<Item = &SecretRecord> + Send,
) -> Result<(), DbError> {
    let digests: Vec<SecretDigest> = records.map(|record| record.digest).collect();
    let bytes: Vec<&[u8]> = digests.iter().map(|digest| digest.0.as_slice()).collect();
    let found: Vec<TokenRow> = token_by_digest(&bytes).load(connection).await?;
    if found.is_empty() { Ok(()) } else { Err(conflict(Entity::Secret)) }
}

async fn insert_token(
    connection: &mut Connection,
    writing: &EventLogLock,
    stored: &StoredToken,
) -> Result<(), DbError> {
    check_new_secrets(connection, writing, std::iter::once(&stored.secret).chain(&stored.alias)).await?;
    insert_into(api_tokens::table).values(NewTokenRow::from(stored)).execute(connection).await.map_err(
        conflict_of(|constraint| match constraint {
            "api_tokens_id_unique" => Some(Entity::Token(stored.token.id)),
            "api_tokens_secret_unique" | "api_tokens_alias_unique" => Some(Entity::Secret),
            _ => None,
        }),
    )?;
    let links = rows::token_projects(stored.token.id, stored.token.access.projects().named());
    if !links.is_empty() {
        insert_into(api_token_projects::table).values(links).execute(connection).await?;
    }
    Ok(())
}

/// Replaces expiry and attributes of the first token by those of the second, if they are unchanged.
pub(crate) async fn update_token(
    connection: &mut Connection,
    before: &ApiToken,
    after: &ApiToken,
    event: &NewEvent,
) -> Result<EventId, DbError> {
    let token = api_tokens::table.find(DbId::from(before.id));
    let kept = token.select(ChangeableTokenRow::as_select()).for_no_key_update();
    let kept: Option<ChangeableTokenRow> = kept.first(connection).await.optional()?;
    kept.ok_or_else(|| not_found(Entity::Token(before.id)))?.check(before)?;
    let writing = lock_event_log(connection).await?;
    update(token).set(ChangedTokenRow::from(after)).execute(connection).await?;
    record(connection, &writing, event).await
}

/// Gives a token a new secret.
pub(crate) async fn rotate_token(
    connection: &mut Connection,
    rotation: &Rotation,
    event: &NewEvent,
) -> Result<EventId, DbError> {
    let token = api_tokens::table.find(DbId::from(rotation.token));
    let kept: Option<(Vec<u8>, Vec<u8>)> = token
        .select((api_tokens::secret_digest, api_tokens::secret_key))
        .for_update()
        .first(connection)
        .await
        .optional()?;
    let Some((digest, key)) = kept else { return Err(not_found(Entity::Token(rotation.token))) };
    if digest != rotation.from.0 {
        return Err(stale(Entity::Token(rotation.token)));
    }
    if rotation.overlap_until.is_some() {
        check_retired(connection, rotation.token, event.at).await?;
    }
    let writing = lock_event_log(connection).await?;
    check_new_secrets(connection, &writing, std::iter::once(&rotation.to)).await?;
    if let Some(until) = rotation.overlap_until {
        insert_into(retired_secrets::table)
            .values(RetiredSecretRow::new(rotation.token, (digest, key), until))
            .execute(connection)
            .await?;
    }
    update(token).set(ChangedSecretRow::from(&rotation.to)).execute(connection).await.map_err(
        conflict_of(|constraint| (constraint == "api_tokens_secret_unique").then_some(Entity::Secret)),
    )?;
    record(connection, &writing, event).await
}

/// Fails if the token has as many retired secrets as it may. The token is locked, so no other transaction adds one.
async fn check_retired(connection: &mut Connection, token: TokenId, now: Timestamp) -> Result<(), DbError> {
    let good = retired_secrets::table
        .filter(retired_secrets::token_id.eq(DbId::from(token)))
        .filter(retired_secrets::good_until.gt(DbTime::from(now)));
    let good: i64 = good.count().get_result(connection).await?;
    Ok(StoreError::check_limit(good.unsigned_abs(), Rotation::MAX_RETIRED)?)
}

/// Removes a token with all its secrets.
pub(crate) async fn remove_token(
    connection: &mut Connection,
    id: TokenId,
    event: &NewEvent,
) -> Result<EventId, DbError> {
    let token = api_tokens::table.find(DbId::from(id));
    let held = token.select(api_tokens::id).for_update();
    if held.first::<DbId>(connection).await.optional()?.is_none() {
        return Err(not_found(Entity::Token(id)));
    }
    let writing = lock_event_log(connection).await?;
    delete(token).execute(connection).await?;
    record(connection, &writing, event).await
}

/// Decides what becomes of these tokens, which are locked. They are read in a second statement, because the one that waited
/// for the locks saw their projects as they were before.
pub(crate) async fn outcomes_of(
    connection: &mut Connection,
    ids: &[DbId],
    outcome_of: impl Fn(&ApiToken) -> RemovalOutcome + Send,
) -> Result<Vec<(DbId, RemovalOutcome)>, DbError> {
    let rows: Vec<TokenRow> = tokens_by_ids(ids).load(connection).await?;
    let tokens: Vec<StoredToken> = rows::all(rows)?;
    Ok(tokens.iter().map(|stored| (DbId::from(stored.token.id), outcome_of(&stored.token))).collect())
}

/// Revokes the tokens that no project is left for, and records the outcome of each.
pub(crate) async fn apply_outcomes(
    connection: &mut Connection,
    writing: &EventLogLock,
    outcomes: &[(DbId, RemovalOutcome)],
) -> Result<(), DbError> {
    let revoked = outcomes.iter().filter(|(_, outcome)| matches!(outcome, RemovalOutcome::Revoked { .. }));
    let revoked: Vec<DbId> = revoked.map(|(id, _)| *id).collect();
    delete(api_tokens::table.filter(api_tokens::id.eq_any(revoked))).execute(connection).await?;
    let events: Vec<&NewEvent> = outcomes.iter().map(|(_, outcome)| outcome.event()).collect();
    record_all(connection, writing, &events).await
}
