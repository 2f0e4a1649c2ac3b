//! Answers that are kept for requests that are sent again.

use async_trait::async_trait;
use latchkey_domain::{EventId, NewEvent};
use latchkey_ports::{AnswerKey, Entity, IdempotencyRepository, KeptAnswer, NewToken, Rotation, StoreError};

use crate::{MemoryStore, state::State};

#[async_trait]
impl IdempotencyRepository for MemoryStore {
    async fn find_answer(&self, key: &AnswerKey) -> Result<Option<KeptAnswer>, StoreError> {
        Ok(self.state().answers.get(key).cloned())
    }

    async fn create_tokens_once(
        &self,
        tokens: &[NewToken],
        answer: &KeptAnswer,
    ) -> Result<Vec<EventId>, StoreError> {
        let mut state = self.state();
        state.check_answer(answer)?;
        let created = state.check_and_create(tokens)?;
        state.answers.insert(answer.key, answer.clone());
        Ok(created)
    }

    async fn rotate_token_once(
        &self,
        rotation: &Rotation,
        event: &NewEvent,
        answer: &KeptAnswer,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.check_answer(answer)?;
        let rotated = state.rotate(rotation, event)?;
        state.answers.insert(answer.key, answer.clone());
        Ok(rotated)
    }
}

impl State {
    /// Checks that no answer is kept under the key.
    fn check_answer(&self, answer: &KeptAnswer) -> Result<(), StoreError> {
        let since = KeptAnswer::kept_since(answer.at);
        match self.answers.get(&answer.key) {
            Some(kept) if kept.at > since => Err(StoreError::Conflict(Entity::Answer)),
            _ => Ok(()),
        }
    }
}
