//! The port of answers that are kept.

use async_trait::async_trait;
use diesel::{QueryDsl, SelectableHelper};
use latchkey_domain::{EventId, NewEvent};
use latchkey_ports::{AnswerKey, IdempotencyRepository, KeptAnswer, NewToken, Rotation, StoreError};
use latchkey_sql::{rows::AnswerRow, schema::idempotency_keys};

use crate::{
    PostgresStore, answers::keep_answer, token_creation::create_in_transaction, token_writes::rotate_token,
};

#[async_trait]
impl IdempotencyRepository for PostgresStore {
    async fn find_answer(&self, key: &AnswerKey) -> Result<Option<KeptAnswer>, StoreError> {
        let answer = idempotency_keys::table.find(key.0.as_slice()).select(AnswerRow::as_select());
        self.load_optional::<AnswerRow, _>(answer).await
    }

    async fn create_tokens_once(
        &self,
        tokens: &[NewToken],
        answer: &KeptAnswer,
    ) -> Result<Vec<EventId>, StoreError> {
        create_in_transaction(self, tokens.into(), Some(answer.clone().into())).await
    }

    async fn rotate_token_once(
        &self,
        rotation: &Rotation,
        event: &NewEvent,
        answer: &KeptAnswer,
    ) -> Result<EventId, StoreError> {
        let (rotation, event, answer) = (rotation.clone(), event.clone(), answer.clone());
        self.write(async move |connection| {
            keep_answer(connection, &answer).await?;
            rotate_token(connection, &rotation, &event).await
        })
        .await
    }
}
