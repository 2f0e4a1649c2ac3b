//! The port of answers that are kept.

use async_trait::async_trait;
use diesel::{
    OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper, SqliteConnection, sql_query,
    sql_types::Binary,
};
use latchkey_domain::{EventId, NewEvent};
use latchkey_ports::{AnswerKey, Entity, IdempotencyRepository, KeptAnswer, NewToken, Rotation, StoreError};
use latchkey_sql::{
    columns::{DbTime, UtcTime},
    errors::{DbError, conflict},
    queries::KEEP_ANSWER,
    rows::{self, AnswerRow},
    schema::idempotency_keys,
};

use crate::{
    SqliteStore,
    events::record,
    token_writes::{create_tokens, rotate_token},
};

#[async_trait]
impl IdempotencyRepository for SqliteStore {
    async fn find_answer(&self, key: &AnswerKey) -> Result<Option<KeptAnswer>, StoreError> {
        let AnswerKey(digest) = *key;
        self.read(move |connection| {
            let answer = idempotency_keys::table.find(digest.as_slice()).select(AnswerRow::as_select());
            Ok(rows::optional(answer.first(connection).optional()?)?)
        })
        .await
    }

    async fn create_tokens_once(
        &self,
        tokens: &[NewToken],
        answer: &KeptAnswer,
    ) -> Result<Vec<EventId>, StoreError> {
        let (tokens, answer) = (tokens.to_vec(), answer.clone());
        self.write(move |connection| {
            keep(connection, &answer)?;
            create_tokens(connection, &tokens)
        })
        .await
    }

    async fn rotate_token_once(
        &self,
        rotation: &Rotation,
        event: &NewEvent,
        answer: &KeptAnswer,
    ) -> Result<EventId, StoreError> {
        let (rotation, event, answer) = (rotation.clone(), event.clone(), answer.clone());
        self.write(move |connection| {
            keep(connection, &answer)?;
            rotate_token(connection, &rotation, event.at)?;
            record(connection, &event)
        })
        .await
    }
}

/// Keeps an answer, if none is kept under its key.
fn keep(connection: &mut SqliteConnection, answer: &KeptAnswer) -> Result<(), DbError> {
    let kept = sql_query(KEEP_ANSWER)
        .bind::<Binary, _>(answer.key.0.as_slice())
        .bind::<Binary, _>(answer.fingerprint.as_slice())
        .bind::<UtcTime, _>(DbTime::from(answer.at))
        .bind::<Binary, _>(answer.body.key.0.as_slice())
        .bind::<Binary, _>(&*answer.body.sealed)
        .bind::<UtcTime, _>(rows::answers_kept_since(answer.at))
        .execute(connection)?;
    if kept == 0 { Err(conflict(Entity::Answer)) } else { Ok(()) }
}
