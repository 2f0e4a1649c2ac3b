//! The port of personal access tokens.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, delete, insert_into, sql_query,
    sql_types::{Array, BigInt},
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{
    EventId, NewEvent, NewPersonalToken, PersonalToken, PersonalTokenId, Timestamp, UserId,
};
use latchkey_ports::{
    Entity, PersonalTokenHolder, PersonalTokenRepository, SecretDigest, SecretRecord, StoreError,
};
use latchkey_sql::{
    columns::{DbTime, UtcTime},
    errors::{conflict_of, not_found, personal_token_conflict, store_error},
    queries,
    rows::{NewPersonalTokenRow, PersonalTokenRow},
    schema::{personal_tokens, users},
};

use crate::{PostgresStore, events::record, locks::lock_event_log, users::user_with_grants};

/// As `token_queries::RECORD_USE`, with numbers for ids.
const RECORD_USE: &str = "\
    WITH latest AS (\
        SELECT kept.id, seen.at FROM personal_tokens AS kept \
        INNER JOIN (SELECT id, max(at) AS at FROM unnest($1, $2) AS one (id, at) GROUP BY id) AS seen USING (id) \
        WHERE kept.seen_at IS NULL OR kept.seen_at < seen.at ORDER BY kept.id FOR NO KEY UPDATE OF kept) \
    UPDATE personal_tokens SET seen_at = latest.at FROM latest WHERE personal_tokens.id = latest.id";

#[async_trait]
impl PersonalTokenRepository for PostgresStore {
    async fn create_personal_token(
        &self,
        token: &NewPersonalToken,
        secret: &SecretRecord,
        limit: u32,
        event: &NewEvent,
    ) -> Result<(PersonalTokenId, EventId), StoreError> {
        let (token, secret, event) = (token.clone(), secret.clone(), event.clone());
        self.write(async move |connection| {
            // Other transactions that count or create tokens of the user wait here.
            let user = users::table.find(token.user.0).select(users::id);
            if user.for_no_key_update().first::<i64>(connection).await.optional()?.is_none() {
                return Err(not_found(Entity::User(token.user)));
            }
            let count: i64 = queries::count_personal_tokens_of(token.user.0).get_result(connection).await?;
            StoreError::check_limit(count.unsigned_abs(), limit.into())?;
            let lock = lock_event_log(connection).await?;
            let id: i64 = insert_into(personal_tokens::table)
                .values(NewPersonalTokenRow::new(&token, &secret))
                .returning(personal_tokens::id)
                .get_result(connection)
                .await
                .map_err(conflict_of(personal_token_conflict))?;
            let event = record(connection, &lock, &event.with_assigned_id(id)).await?;
            Ok((PersonalTokenId(id), event))
        })
        .await
    }

    async fn find_personal_token_by_digest(
        &self,
        digests: &[SecretDigest],
    ) -> Result<Option<PersonalTokenHolder>, StoreError> {
        let mut connection = self.connection().await?;
        self.replica.check_followed(&connection)?;
        let bytes: Vec<&[u8]> = digests.iter().map(|digest| digest.0.as_slice()).collect();
        let row: Option<(PersonalTokenRow, Vec<u8>)> = personal_tokens::table
            .filter(personal_tokens::secret_digest.eq_any(bytes))
            .select((PersonalTokenRow::as_select(), personal_tokens::secret_digest))
            .first(&mut connection)
            .await
            .optional()
            .map_err(store_error)?;
        let Some((row, digest)) = row else { return Ok(None) };
        let token = PersonalToken::try_from(row)?;
        let found_by = digests.iter().find(|asked| asked.0.as_slice() == digest).copied();
        // If the user was deleted since the last statement, so was the token.
        let holder = user_with_grants(&mut connection, token.user).await?;
        let found = holder.zip(found_by);
        Ok(found.map(|((user, grants), found_by)| PersonalTokenHolder { token, user, grants, found_by }))
    }

    async fn personal_tokens_of(&self, users: &[UserId]) -> Result<Vec<PersonalToken>, StoreError> {
        let tokens = personal_tokens::table
            .filter(personal_tokens::user_id.eq_any(users.iter().map(|user| user.0)))
            .order(personal_tokens::id)
            .select(PersonalTokenRow::as_select());
        self.load_all::<PersonalTokenRow, _>(tokens).await
    }

    async fn delete_personal_token(
        &self,
        user: UserId,
        id: PersonalTokenId,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(async move |connection| {
            let token = queries::personal_token_of(user.0, id.0);
            let held = token.select(personal_tokens::id).for_update();
            if held.first::<i64>(connection).await.optional()?.is_none() {
                return Err(not_found(Entity::PersonalToken(id)));
            }
            let lock = lock_event_log(connection).await?;
            delete(token).execute(connection).await?;
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn record_personal_token_use(
        &self,
        seen: &[(PersonalTokenId, Timestamp)],
    ) -> Result<(), StoreError> {
        if seen.is_empty() {
            return Ok(());
        }
        let (ids, times): (Vec<_>, Vec<_>) = seen.iter().map(|(id, at)| (id.0, DbTime::from(*at))).unzip();
        let statement = sql_query(RECORD_USE).bind::<Array<BigInt>, _>(ids).bind::<Array<UtcTime>, _>(times);
        self.execute(statement).await.map(drop)
    }
}
