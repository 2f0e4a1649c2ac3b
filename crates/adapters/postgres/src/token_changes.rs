//! How API tokens change and go.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, delete, insert_into, update};
use diesel_async::RunQueryDsl;
use latchkey_domain::{EventId, NewEvent, Timestamp, TokenId};
use latchkey_ports::{Entity, Rotation, StoreError};

use crate::{
    connection::Connection,
    errors::{Failure, not_found, stale, taken},
    events::record,
    locks::number,
    schema::{api_tokens, retired_secrets},
    token_creation::check_new,
};

/// Changes when a token ends, if that is still the first of the moments, to the second.
pub(crate) async fn change_expiry(
    connection: &mut Connection,
    id: TokenId,
    (before, after): (Option<Timestamp>, Option<Timestamp>),
    event: &NewEvent,
) -> Result<EventId, Failure> {
    let token = api_tokens::table.find(id.as_uuid());
    let kept: Option<Option<DateTime<Utc>>> =
        token.select(api_tokens::expires_at).for_no_key_update().first(connection).await.optional()?;
    // Moments are in whole milliseconds wherever they are compared.
    let kept = kept.map(|end| end.map(|end| end.timestamp_millis()));
    StoreError::unless_kept(kept.as_ref(), &before.map(Timestamp::millis), Entity::Token(id))?;
    let writing = number(connection).await?;
    update(token)
        .set(api_tokens::expires_at.eq(after.map(Timestamp::to_datetime)))
        .execute(connection)
        .await?;
    record(connection, &writing, event).await
}

/// Gives a token a new secret.
pub(crate) async fn rotate(
    connection: &mut Connection,
    rotation: &Rotation,
    event: &NewEvent,
) -> Result<EventId, Failure> {
    let token = api_tokens::table.find(rotation.token.as_uuid());
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
    let writing = number(connection).await?;
    check_new(connection, &writing, std::iter::once(&rotation.to)).await?;
    if let Some(until) = rotation.overlap_until {
        insert_into(retired_secrets::table)
            .values((
                retired_secrets::secret_digest.eq(digest),
                retired_secrets::secret_key.eq(key),
                retired_secrets::token_id.eq(rotation.token.as_uuid()),
                retired_secrets::good_until.eq(until.to_datetime()),
            ))
            .execute(connection)
            .await?;
    }
    let to = &rotation.to;
    update(token)
        .set((
            api_tokens::secret_digest.eq(to.digest.0.as_slice()),
            api_tokens::secret_key.eq(to.key.0.as_slice()),
            api_tokens::secret_sealed.eq(to.sealed.as_deref()),
        ))
        .execute(connection)
        .await
        .map_err(taken(|constraint| (constraint == "api_tokens_secret_unique").then_some(Entity::Secret)))?;
    record(connection, &writing, event).await
}

/// That there is room for one more retired secret of the token that is good. The token is held, so nobody else adds one.
async fn check_retired(connection: &mut Connection, token: TokenId, now: Timestamp) -> Result<(), Failure> {
    let good = retired_secrets::table
        .filter(retired_secrets::token_id.eq(token.as_uuid()))
        .filter(retired_secrets::good_until.gt(now.to_datetime()));
    let good: i64 = good.count().get_result(connection).await?;
    Ok(StoreError::unless_full(good.unsigned_abs(), Rotation::MAX_RETIRED)?)
}

/// Removes a token with all its secrets.
pub(crate) async fn remove(
    connection: &mut Connection,
    id: TokenId,
    event: &NewEvent,
) -> Result<EventId, Failure> {
    let token = api_tokens::table.find(id.as_uuid());
    let held = token.select(api_tokens::id).for_update();
    if held.first::<uuid::Uuid>(connection).await.optional()?.is_none() {
        return Err(not_found(Entity::Token(id)));
    }
    let writing = number(connection).await?;
    delete(token).execute(connection).await?;
    record(connection, &writing, event).await
}
