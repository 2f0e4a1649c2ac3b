//! Reading events for a consumer: each once, in the order of numbers, whichever process reads.

use std::sync::{Arc, Mutex, PoisonError};

use latchkey_domain::{Event, EventConsumer, EventId};
use latchkey_ports::{ConsumerMove, EventConsumerRepository, EventRepository, Settlement, StoreError};

/// The settled events that a consumer has not read.
pub(crate) struct ConsumedEvents {
    consumer: EventConsumer,
    events: Arc<dyn EventRepository>,
    positions: Arc<dyn EventConsumerRepository>,
    settlement: Mutex<Settlement>,
}

/// Some of them, and the move of the position that reading them makes.
pub(crate) struct Consumed {
    pub(crate) events: Vec<Event>,
    pub(crate) step: ConsumerMove,
}

impl ConsumedEvents {
    /// The maximum number of events that are read at once.
    pub(crate) const PORTION: u32 = 200;

    pub(crate) fn new(
        consumer: EventConsumer,
        events: Arc<dyn EventRepository>,
        positions: Arc<dyn EventConsumerRepository>,
    ) -> Self {
        Self { consumer, events, positions, settlement: Mutex::default() }
    }

    /// Returns the next events above the position, but none up to `since`, which the consumer has no use for; `None` if no more are
    /// settled.
    pub(crate) async fn next(&self, since: EventId) -> Result<Option<Consumed>, StoreError> {
        let from = self.positions.consumed(self.consumer).await?;
        let settlement = *self.settlement.lock().unwrap_or_else(PoisonError::into_inner);
        let read = self.events.settled_events(from.max(since), &settlement, Self::PORTION).await?;
        *self.settlement.lock().unwrap_or_else(PoisonError::into_inner) = read.settlement;
        let Some(to) = read.events.last().map(|event| event.id) else { return Ok(None) };
        let step = ConsumerMove { consumer: self.consumer, from, to };
        Ok(Some(Consumed { events: read.events, step }))
    }

    /// Whether there were events that are not settled yet, so that asking again soon is worth while.
    pub(crate) fn is_pending(&self) -> bool {
        self.settlement.lock().unwrap_or_else(PoisonError::into_inner).is_pending()
    }
}
