//! Statements that create, change and remove API tokens within a transaction.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper,
    SqliteConnection, delete, dsl::exists, insert_into, select, update,
};
use latchkey_domain::{
    ApiToken, EventId, ProjectId, ProjectScope, RemovalOutcome, Timestamp, TokenAccess, TokenId,
};
use latchkey_ports::{Demand, Entity, NewToken, Rotation, SecretDigest, StoreError, StoredToken};
use latchkey_sql::{
    columns::{DbId, DbTime},
    errors::{DbError, conflict, conflict_of, not_found, stale},
    rows::{self, ChangeableTokenRow, ChangedSecretRow, ChangedTokenRow, NewTokenRow, RetiredSecretRow},
    schema::{api_token_projects, api_tokens, retired_secrets},
};
use uuid::Uuid;

use crate::{
    events::record,
    existence::{environment_exists, project_exists},
    token_queries::{
        TokenRow, count_tokens_of_all_projects, count_tokens_of_project, token_by_digest, with_links_of_all,
    },
};

/// How many tokens of a removed project or environment are in memory at once.
pub(crate) const BATCH: u32 = 500;

/// Fails if the environment or a project of a token does not exist.
pub(crate) fn check_places(connection: &mut SqliteConnection, stored: &StoredToken) -> Result<(), DbError> {
    let access = &stored.token.access;
    if let Some(environment) = access.environment()
        && !environment_exists(connection, environment)?
    {
        return Err(not_found(Entity::Environment(environment.clone())));
    }
    for project in access.projects().named() {
        if !project_exists(connection, project)? {
            return Err(not_found(Entity::Project(project.clone())));
        }
    }
    Ok(())
}

/// Fails if the quotas do not allow these tokens.
fn check_quotas(connection: &mut SqliteConnection, tokens: &[NewToken]) -> Result<(), DbError> {
    for (project, demand) in Demand::of(tokens) {
        let count: i64 = match project {
            None => count_tokens_of_all_projects().get_result(connection)?,
            Some(project) => count_tokens_of_project(project.as_str()).get_result(connection)?,
        };
        demand.check(count.unsigned_abs())?;
    }
    Ok(())
}

/// Creates all of these tokens or none, each with its event.
pub(crate) fn create_tokens(
    connection: &mut SqliteConnection,
    tokens: &[NewToken],
) -> Result<Vec<EventId>, DbError> {
    tokens.iter().try_for_each(|new| check_places(connection, &new.token))?;
    check_quotas(connection, tokens)?;
    tokens.iter().map(|new| create_token(connection, new)).collect()
}

/// Inserts a token and its event.
pub(crate) fn create_token(connection: &mut SqliteConnection, new: &NewToken) -> Result<EventId, DbError> {
    insert_token(connection, &new.token)?;
    record(connection, &new.event)
}

/// Fails if any token has a secret, an alias or a retired secret of this digest. The unique indexes cover only one of these
/// columns each.
pub(crate) fn check_new_secret(
    connection: &mut SqliteConnection,
    digest: &SecretDigest,
) -> Result<(), DbError> {
    if is_kept(connection, digest)? { Err(conflict(Entity::Secret)) } else { Ok(()) }
}

/// Returns whether any token has a secret, an alias or a retired secret of this digest.
pub(crate) fn is_kept(
    connection: &mut SqliteConnection,
    SecretDigest(digest): &SecretDigest,
) -> Result<bool, DbError> {
    let retired = retired_secrets::table.filter(retired_secrets::secret_digest.eq(digest.as_slice()));
    let is_there = exists(token_by_digest(digest)).or(exists(retired));
    Ok(select(is_there).get_result(connection)?)
}

/// Inserts a token.
pub(crate) fn insert_token(connection: &mut SqliteConnection, stored: &StoredToken) -> Result<(), DbError> {
    stored.current_digests().try_for_each(|digest| check_new_secret(connection, &digest))?;
    let number = project_count(stored.token.access.projects());
    insert_into(api_tokens::table)
        .values((NewTokenRow::from(stored), api_tokens::named_projects.eq(number)))
        .execute(connection)
        .map_err(conflict_of(|columns| match columns {
            "api_tokens.id" => Some(Entity::Token(stored.token.id)),
            "api_tokens.secret_digest" | "api_tokens.alias_digest" | "api_tokens.selector" => {
                Some(Entity::Secret)
            }
            _ => None,
        }))?;
    insert_links(connection, stored.token.id, stored.token.access.projects().named())
}

fn project_count(projects: &ProjectScope) -> i64 {
    i64::try_from(projects.named().len()).unwrap_or(i64::MAX)
}

fn insert_links(
    connection: &mut SqliteConnection,
    id: TokenId,
    projects: &[ProjectId],
) -> Result<(), DbError> {
    for row in rows::token_projects(id, projects) {
        insert_into(api_token_projects::table).values(row).execute(connection)?;
    }
    Ok(())
}

/// Replaces expiry and attributes of the first token by those of the second, if they are unchanged.
pub(crate) fn update_token(
    connection: &mut SqliteConnection,
    before: &ApiToken,
    after: &ApiToken,
) -> Result<(), DbError> {
    let token = api_tokens::table.find(DbId::from(before.id));
    let kept = token.select(ChangeableTokenRow::as_select()).first(connection).optional()?;
    kept.ok_or_else(|| not_found(Entity::Token(before.id)))?.check(before)?;
    update(token).set(ChangedTokenRow::from(after)).execute(connection)?;
    Ok(())
}

/// Moves the end of the retired secrets of a token that end at the first of these moments.
pub(crate) fn move_end_of_retired(
    connection: &mut SqliteConnection,
    token: TokenId,
    (from, to): (Timestamp, Timestamp),
) -> Result<(), DbError> {
    let retired = retired_secrets::table
        .filter(retired_secrets::token_id.eq(DbId::from(token)))
        .filter(retired_secrets::good_until.eq(DbTime::from(from)));
    update(retired).set(retired_secrets::good_until.eq(DbTime::from(to))).execute(connection)?;
    Ok(())
}

/// Gives a token a new secret.
pub(crate) fn rotate_token(
    connection: &mut SqliteConnection,
    rotation: &Rotation,
    now: Timestamp,
) -> Result<(), DbError> {
    let Rotation { token: id, from, to, overlap_until, update: other } = rotation;
    let token = api_tokens::table.find(DbId::from(*id));
    let kept = token.select((api_tokens::secret_digest, api_tokens::secret_key)).first(connection);
    let kept: Option<(Vec<u8>, Vec<u8>)> = kept.optional()?;
    let Some((digest, key)) = kept else { return Err(not_found(Entity::Token(*id))) };
    if digest != from.0 {
        return Err(stale(Entity::Token(*id)));
    }
    if let Some(other) = other {
        update_token(connection, &other.before, &other.after)?;
    }
    if overlap_until.is_some() {
        check_retired(connection, *id, now)?;
    }
    check_new_secret(connection, &to.digest)?;
    update(token).set(ChangedSecretRow::from(to)).execute(connection)?;
    if let Some(until) = overlap_until {
        let retired = RetiredSecretRow::new(*id, (digest, key), *until);
        insert_into(retired_secrets::table).values(retired).execute(connection)?;
    }
    Ok(())
}

/// That there is room for one more retired secret of the token that is good.
fn check_retired(connection: &mut SqliteConnection, token: TokenId, now: Timestamp) -> Result<(), DbError> {
    let good = retired_secrets::table
        .filter(retired_secrets::token_id.eq(DbId::from(token)))
        .filter(retired_secrets::good_until.gt(DbTime::from(now)));
    let good: i64 = good.count().get_result(connection)?;
    Ok(StoreError::check_limit(good.unsigned_abs(), Rotation::MAX_RETIRED)?)
}

/// Removes a token with all its secrets, and returns whether it existed.
pub(crate) fn remove_token(connection: &mut SqliteConnection, id: TokenId) -> Result<bool, DbError> {
    let token = api_tokens::table.find(DbId::from(id));
    Ok(delete(token).execute(connection)? > 0)
}

/// Applies the outcome of a removal to each token and records its event. `after` finds the next [`BATCH`] of the tokens
/// after an id, by id.
pub(crate) fn apply_outcomes(
    connection: &mut SqliteConnection,
    after: impl Fn(&mut SqliteConnection, DbId) -> Result<Vec<TokenRow>, DbError>,
    outcome_of: impl Fn(&StoredToken) -> RemovalOutcome,
) -> Result<(), DbError> {
    let mut last = DbId(Uuid::nil());
    loop {
        let rows = after(connection, last)?;
        let Some(row) = rows.last() else { return Ok(()) };
        last = row.id();
        for stored in with_links_of_all(connection, rows, None)? {
            let outcome = outcome_of(&stored);
            match &outcome {
                RemovalOutcome::Narrowed { access, .. } => narrow(connection, stored.token.id, access)?,
                RemovalOutcome::Revoked { .. } => {
                    remove_token(connection, stored.token.id)?;
                }
            }
            record(connection, outcome.event())?;
        }
    }
}

fn narrow(connection: &mut SqliteConnection, id: TokenId, access: &TokenAccess) -> Result<(), DbError> {
    let key = DbId::from(id);
    let projects = access.projects().named();
    delete(api_token_projects::table.filter(api_token_projects::token_id.eq(key))).execute(connection)?;
    insert_links(connection, id, projects)?;
    update(api_tokens::table.filter(api_tokens::id.eq(key)))
        .set((
            api_tokens::all_projects.eq(matches!(access.projects(), ProjectScope::All)),
            api_tokens::named_projects.eq(project_count(access.projects())),
        ))
        .execute(connection)?;
    Ok(())
}
