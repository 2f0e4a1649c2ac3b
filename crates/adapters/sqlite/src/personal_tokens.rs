//! The port of personal access tokens.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper, delete, dsl::count_star,
    insert_into, sql_query, sql_types::Text,
};
use latchkey_domain::{
    EventId, NewEvent, NewPersonalToken, PersonalToken, PersonalTokenId, Timestamp, UserId,
};
use latchkey_ports::{
    Entity, PersonalTokenHolder, PersonalTokenRepository, SecretDigest, SecretRecord, StoreError,
};
use latchkey_sql::{
    errors::{conflict_of, not_found},
    rows::{self, NewPersonalTokenRow, PersonalTokenRow},
    schema::personal_tokens,
};
use tracing::instrument;

use crate::{
    SqliteStore, events::record, existence::check_user, memberships::grants, paging::MAX_BINDS,
    users::find_user,
};

/// As `token_queries::RECORD_USE`, with numbers for ids.
const RECORD_USE: &str = "\
    UPDATE personal_tokens SET seen_at = latest.at \
    FROM (SELECT value ->> 0 AS id, max(value ->> 1) AS at FROM json_each(?) GROUP BY 1) AS latest \
    WHERE personal_tokens.id = latest.id \
    AND (personal_tokens.seen_at IS NULL OR personal_tokens.seen_at < latest.at)";

#[async_trait]
impl PersonalTokenRepository for SqliteStore {
    #[instrument(level = "debug", skip_all, fields(user = %token.user))]
    async fn create_personal_token(
        &self,
        token: &NewPersonalToken,
        secret: &SecretRecord,
        most: u32,
        event: &NewEvent,
    ) -> Result<(PersonalTokenId, EventId), StoreError> {
        let (token, secret, event) = (token.clone(), secret.clone(), event.clone());
        self.write(move |connection| {
            check_user(connection, token.user)?;
            let own = personal_tokens::table.filter(personal_tokens::user_id.eq(token.user.0));
            let number: i64 = own.select(count_star()).get_result(connection)?;
            StoreError::unless_full(number.unsigned_abs(), most.into())?;
            let id: i64 = insert_into(personal_tokens::table)
                .values(NewPersonalTokenRow::new(&token, &secret))
                .returning(personal_tokens::id)
                .get_result(connection)
                .map_err(conflict_of(|columns| match columns {
                    "personal_tokens.secret_digest" => Some(Entity::Secret),
                    "personal_tokens.user_id, personal_tokens.description" => {
                        Some(Entity::PersonalTokenDescription)
                    }
                    _ => None,
                }))?;
            let event = record(connection, &event.with_assigned_id(id))?;
            Ok((PersonalTokenId(id), event))
        })
        .await
    }

    #[instrument(level = "debug", skip_all)]
    async fn find_personal_token_by_digest(
        &self,
        digests: &[SecretDigest],
    ) -> Result<Option<PersonalTokenHolder>, StoreError> {
        let digests = digests.to_vec();
        self.read_snapshot(move |connection| {
            let mut found = None;
            for digest in &digests {
                let row = personal_tokens::table
                    .filter(personal_tokens::secret_digest.eq(digest.0.as_slice()))
                    .select(PersonalTokenRow::as_select())
                    .first(connection)
                    .optional()?;
                if let Some(row) = row {
                    found = Some((row, *digest));
                    break;
                }
            }
            let Some((row, found_by)) = found else { return Ok(None) };
            let token = PersonalToken::try_from(row)?;
            // The foreign key ensures this, unless another program wrote without it.
            let user = find_user(connection, token.user)?.ok_or_else(|| {
                rows::inconsistency("personal_tokens", "user_id", token.id, "the user does not exist")
            })?;
            let grants = grants(connection, user.id)?;
            Ok(Some(PersonalTokenHolder { token, user, grants, found_by }))
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(users = users.len()))]
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

    #[instrument(level = "debug", skip_all, fields(%user, token = %id))]
    async fn delete_personal_token(
        &self,
        user: UserId,
        id: PersonalTokenId,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| {
            let own = personal_tokens::table.find(id.0).filter(personal_tokens::user_id.eq(user.0));
            if delete(own).execute(connection)? == 0 {
                return Err(not_found(Entity::PersonalToken(id)));
            }
            record(connection, &event)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(tokens = seen.len()))]
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
