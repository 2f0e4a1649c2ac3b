//! The port of personal access tokens.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, insert_into, sql_query,
    sql_types::{Array, BigInt, Timestamptz},
};
use diesel_async::RunQueryDsl;
use futures_util::FutureExt;
use latchkey_domain::{EventId, NewEvent, NewPersonalToken, PersonalToken, PersonalTokenId, Timestamp};
use latchkey_ports::{
    Entity, PersonalTokenHolder, PersonalTokenRepository, SecretDigest, SecretRecord, StoreError,
};
use tracing::instrument;

use crate::{
    PostgresStore,
    access::grants,
    errors::{not_found, taken, unavailable},
    events::record,
    people::{user, user_exists},
    rows::{NewPersonalTokenRow, PersonalTokenRow},
    schema::personal_tokens,
};

/// As `token_queries::RECORD_SEEN`, with numbers for ids.
const RECORD_SEEN: &str = "\
    WITH latest AS (\
        SELECT kept.id, seen.at FROM personal_tokens AS kept \
        INNER JOIN (SELECT id, max(at) AS at FROM unnest($1, $2) AS one (id, at) GROUP BY id) AS seen USING (id) \
        WHERE kept.seen_at IS NULL OR kept.seen_at < seen.at ORDER BY kept.id FOR NO KEY UPDATE OF kept) \
    UPDATE personal_tokens SET seen_at = latest.at FROM latest WHERE personal_tokens.id = latest.id";

#[async_trait]
impl PersonalTokenRepository for PostgresStore {
    #[instrument(level = "debug", skip_all, fields(user = %token.user))]
    async fn create_personal_token(
        &self,
        token: &NewPersonalToken,
        secret: &SecretRecord,
        event: &NewEvent,
    ) -> Result<(PersonalTokenId, EventId), StoreError> {
        let (token, secret, event) = (token.clone(), secret.clone(), event.clone());
        self.write(move |connection| {
            async move {
                if !user_exists(connection, token.user).await? {
                    return Err(not_found(Entity::User(token.user)));
                }
                let id: i64 = insert_into(personal_tokens::table)
                    .values(NewPersonalTokenRow::new(&token, &secret))
                    .returning(personal_tokens::id)
                    .get_result(connection)
                    .await
                    .map_err(taken(|constraint| match constraint {
                        "personal_tokens_secret_unique" => Some(Entity::Secret),
                        "personal_tokens_description_unique" => Some(Entity::PersonalTokenDescription),
                        _ => None,
                    }))?;
                let event = record(connection, &event.with_assigned_id(id)).await?;
                Ok((PersonalTokenId(id), event))
            }
            .boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all)]
    async fn find_personal_token_by_digest(
        &self,
        digests: &[SecretDigest],
    ) -> Result<Option<PersonalTokenHolder>, StoreError> {
        let mut connection = self.connection().await?;
        let digests: Vec<&[u8]> = digests.iter().map(|digest| digest.0.as_slice()).collect();
        let row: Option<PersonalTokenRow> = personal_tokens::table
            .filter(personal_tokens::secret_digest.eq_any(digests))
            .select(PersonalTokenRow::as_select())
            .first(&mut connection)
            .await
            .optional()
            .map_err(unavailable)?;
        let Some(row) = row else { return Ok(None) };
        let token = PersonalToken::try_from(row)?;
        // A user who was deleted since the last statement took the token along.
        let Some(user) = user(&mut connection, token.user).await? else { return Ok(None) };
        let grants = grants(&mut connection, user.id).await?;
        Ok(Some(PersonalTokenHolder { token, user, grants }))
    }

    #[instrument(level = "debug", skip_all, fields(tokens = seen.len()))]
    async fn record_personal_tokens_seen(
        &self,
        seen: &[(PersonalTokenId, Timestamp)],
    ) -> Result<(), StoreError> {
        if seen.is_empty() {
            return Ok(());
        }
        let (ids, moments): (Vec<_>, Vec<_>) = seen.iter().map(|(id, at)| (id.0, at.to_datetime())).unzip();
        let mut connection = self.connection().await?;
        sql_query(RECORD_SEEN)
            .bind::<Array<BigInt>, _>(ids)
            .bind::<Array<Timestamptz>, _>(moments)
            .execute(&mut connection)
            .await
            .map_err(unavailable)?;
        Ok(())
    }
}
