//! Statements that change and remove API tokens within a transaction.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, delete, insert_into, update};
use diesel_async::RunQueryDsl;
use latchkey_domain::{ApiToken, EventId, NewEvent, RemovalOutcome, Timestamp, TokenId};
use latchkey_ports::{Entity, Rotation, SecretDigest, StoreError, StoredToken, TokenUpdate};
use latchkey_sql::{
    columns::{DbId, DbTime},
    errors::{DbError, conflict, conflict_of, not_found, stale},
    rows::{self, ChangeableTokenRow, ChangedSecretRow, ChangedTokenRow, RetiredSecretRow},
    schema::{api_tokens, retired_secrets},
};

use crate::{
    connection::Connection,
    events::{record, record_all},
    locks::{EventLogHeld, EventLogLock, share_event_log},
    token_queries::{TokenRow, tokens_by_digests, tokens_by_ids},
};

/// Fails if any token has one of these secrets, as secret, alias or retired secret. The unique indexes cover only one of
/// these columns each.
pub(crate) async fn check_new_secrets(
    connection: &mut Connection,
    _writing: &impl EventLogHeld,
    digests: &[SecretDigest],
) -> Result<(), DbError> {
    let found = tokens_by_digests(connection, digests).await?;
    if found.is_empty() { Ok(()) } else { Err(conflict(Entity::Secret)) }
}

/// Replaces expiry and attributes of the first token by those of the second, if they are unchanged.
pub(crate) async fn update_token(
    connection: &mut Connection,
    before: &ApiToken,
    after: &ApiToken,
    event: &NewEvent,
) -> Result<EventId, DbError> {
    hold_unchanged(connection, before).await?;
    let writing = share_event_log(connection).await?;
    replace(connection, &writing, after).await?;
    record(connection, &writing, event).await
}

/// Moves the end of the retired secrets of a token that end at the first of these moments, and updates the token.
pub(crate) async fn end_rotation(
    connection: &mut Connection,
    TokenUpdate { before, after }: &TokenUpdate,
    (from, to): (Timestamp, Timestamp),
    event: &NewEvent,
) -> Result<EventId, DbError> {
    hold_unchanged(connection, before).await?;
    // Before the event log, because a sweep may have locked one of them.
    let retired = retired_secrets::table
        .filter(retired_secrets::token_id.eq(DbId::from(before.id)))
        .filter(retired_secrets::good_until.eq(DbTime::from(from)));
    update(retired).set(retired_secrets::good_until.eq(DbTime::from(to))).execute(connection).await?;
    let writing = share_event_log(connection).await?;
    replace(connection, &writing, after).await?;
    record(connection, &writing, event).await
}

/// Locks a token, and fails if its expiry or attributes are not these.
async fn hold_unchanged(connection: &mut Connection, before: &ApiToken) -> Result<(), DbError> {
    let token = api_tokens::table.find(DbId::from(before.id));
    let kept = token.select(ChangeableTokenRow::as_select()).for_no_key_update();
    let kept: Option<ChangeableTokenRow> = kept.first(connection).await.optional()?;
    kept.ok_or_else(|| not_found(Entity::Token(before.id)))?.check(before)
}

/// Replaces expiry and attributes of a token that is locked.
async fn replace(
    connection: &mut Connection,
    _writing: &impl EventLogHeld,
    after: &ApiToken,
) -> Result<(), DbError> {
    let token = api_tokens::table.find(DbId::from(after.id));
    update(token).set(ChangedTokenRow::from(after)).execute(connection).await?;
    Ok(())
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
    if let Some(update) = &rotation.update {
        hold_unchanged(connection, &update.before).await?;
    }
    if rotation.overlap_until.is_some() {
        check_retired(connection, rotation.token, event.at).await?;
    }
    let writing = share_event_log(connection).await?;
    check_new_secrets(connection, &writing, &[rotation.to.digest]).await?;
    if let Some(until) = rotation.overlap_until {
        insert_into(retired_secrets::table)
            .values(RetiredSecretRow::new(rotation.token, (digest, key), until))
            .execute(connection)
            .await?;
    }
    update(token).set(ChangedSecretRow::from(&rotation.to)).execute(connection).await.map_err(
        conflict_of(|constraint| (constraint == "api_tokens_secret_unique").then_some(Entity::Secret)),
    )?;
    if let Some(update) = &rotation.update {
        replace(connection, &writing, &update.after).await?;
    }
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
    let writing = share_event_log(connection).await?;
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
    record_all(connection, writing, &events).await?;
    Ok(())
}
