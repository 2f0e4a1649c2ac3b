//! The audit trail.

use async_trait::async_trait;
use latchkey_domain::{Event, EventId};
use latchkey_ports::{EventRepository, StoreError};

use crate::MemoryStore;

#[async_trait]
impl EventRepository for MemoryStore {
    async fn latest_event(&self) -> Result<EventId, StoreError> {
        Ok(self.state().latest_event())
    }

    async fn events_after(&self, after: EventId, limit: u32) -> Result<Vec<Event>, StoreError> {
        let state = self.state();
        let first = state.events.partition_point(|event| event.id <= after);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(state.events.iter().skip(first).take(limit).cloned().collect())
    }
}
