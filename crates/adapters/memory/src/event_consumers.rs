//! How far the consumers of events are.

use async_trait::async_trait;
use latchkey_domain::{EventConsumer, EventId};
use latchkey_ports::{ConsumerMove, EventConsumerRepository, StoreError};

use crate::{MemoryStore, state::State};

impl State {
    /// Moves the position of a consumer, if it is where the caller thinks.
    pub(crate) fn move_consumer(&mut self, step: ConsumerMove) -> bool {
        let position = self.event_consumers.entry(step.consumer).or_default();
        let is_there = *position == step.from;
        if is_there {
            *position = step.to;
        }
        is_there
    }
}

#[async_trait]
impl EventConsumerRepository for MemoryStore {
    async fn consumed(&self, consumer: EventConsumer) -> Result<EventId, StoreError> {
        Ok(self.state().event_consumers.get(&consumer).copied().unwrap_or_default())
    }
}
