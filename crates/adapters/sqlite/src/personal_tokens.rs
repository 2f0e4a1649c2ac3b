//! The port of personal access tokens.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper, SqliteConnection, delete,
    insert_into, sql_query, sql_types::Text,
};
use latchkey_domain::{
    EventId, NewEvent, NewPersonalToken, PersonalToken, PersonalTokenId, Timestamp, UserId,
};
use latchkey_ports::{
    Entity, PersonalTokenHolder, PersonalTokenRepository, SecretDigest, SecretRecord, StoreError,
};
use latchkey_sql::{
    errors::{DbError, conflict_of, not_found, personal_token_conflict},
    queries,
    rows::{self, NewPersonalTokenRow, PersonalTokenRow},
    schema::personal_tokens,
};

use crate::{SqliteStore, events::record, existence::check_user, paging::MAX_BINDS, users::user_with_grants};

/// As `token_queries::RECORD_USE`, with numbers for ids.
const RECORD_USE: &str = "\
    UPDATE personal_tokens SET seen_at = latest.at \
    FROM (SELECT value ->> 0 AS id, max(value ->> 1) AS at FROM json_each(?) GROUP BY 1) AS latest \
    WHERE personal_tokens.id = latest.id \
    AND (personal_tokens.seen_at IS NULL OR personal_tokens.seen_at < latest.at)";

#[async_trait]
impl PersonalTokenRepository for SqliteStore {
    async fn create_personal_token(
        &self,
        token: &NewPersonalToken,
        secret: &SecretRecord,
        limit: u32,
        event: &NewEvent,
    ) -> Result<(PersonalTokenId, EventId), StoreError> {
        let (token, secret, event) = (token.clone(), secret.clone(), event.clone());
        self.write(move |connection| {
            check_user(connection, token.user)?;
            let count: i64 = queries::count_personal_tokens_of(token.user.0).get_result(connection)?;
            StoreError::check_limit(count.unsigned_abs(), limit.into())?;
            let id: i64 = insert_into(personal_tokens::table)
                .values(NewPersonalTokenRow::new(&token, &secret))
                .returning(personal_tokens::id)
                .get_result(connection)
                .map_err(conflict_of(personal_token_conflict))?;
            let event = record(connection, &event.with_assigned_id(id))?;
            Ok((PersonalTokenId(id), event))
        })
        .await
    }

    async fn find_personal_token_by_digest(
        &self,
        digests: &[SecretDigest],
    ) -> Result<Option<PersonalTokenHolder>, StoreError> {
        let digests = digests.to_vec();
        self.read_snapshot(move |connection| {
            for digest in &digests {
                let row: Option<PersonalTokenRow> = personal_tokens::table
                    .filter(personal_tokens::secret_digest.eq(digest.0.as_slice()))
                    .select(PersonalTokenRow::as_select())
                    .first(connection)
                    .optional()?;
                if let Some(row) = row {
                    return holder(connection, row, *digest).map(Some);
                }
            }
            Ok(None)
        })
        .await
    }

    async fn personal_tokens_of(&self, users: &[UserId]) -> Result<Vec<PersonalToken>, StoreError> {
        let users = users.to_vec();
        self.read_snapshot(move |connection| {
            let mut rows: Vec<PersonalTokenRow> = Vec::new();
            for users in users.chunks(MAX_BINDS) {
                let some = personal_tokens::table
                    .filter(personal_tokens::user_id.eq_any(users.iter().map(|user| user.0)))
                    .select(PersonalTokenRow::as_select())
                    .load(connection)?;
                rows.extend(some);
            }
            let mut tokens: Vec<PersonalToken> = rows::all(rows)?;
            tokens.sort_by_key(|token| token.id);
            Ok(tokens)
        })
        .await
    }

    async fn delete_personal_token(
        &self,
        user: UserId,
        id: PersonalTokenId,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| {
            if delete(queries::personal_token_of(user.0, id.0)).execute(connection)? == 0 {
                return Err(not_found(Entity::PersonalToken(id)));
            }
            record(connection, &event)
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
        let row = |(id, at): &(PersonalTokenId, Timestamp)| serde_json::json!([id.0, at.millis()]);
        let seen = seen.iter().map(row).collect::<serde_json::Value>().to_string();
        self.write(move |connection| {
            sql_query(RECORD_USE).bind::<Text, _>(seen).execute(connection)?;
            Ok(())
        })
        .await
    }
}

fn holder(
    connection: &mut SqliteConnection,
    row: PersonalTokenRow,
    found_by: SecretDigest,
) -> Result<PersonalTokenHolder, DbError> {
    let token = PersonalToken::try_from(row)?;
    // The foreign key ensures this, unless another program wrote without it.
    let (user, grants) = user_with_grants(connection, token.user)?.ok_or_else(|| {
        rows::inconsistency("personal_tokens", "user_id", token.id, "the user does not exist")
    })?;
    Ok(PersonalTokenHolder { token, user, grants, found_by })
}
