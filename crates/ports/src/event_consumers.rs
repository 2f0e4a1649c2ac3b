//! How far the consumers of events are: readers that must see each event once, whichever process reads.
//!
//! A consumer reads settled events above its position ([`crate::EventRepository::settled_events`]), and hands what it makes of them to a
//! method of its own port, which moves the position in the same transaction, if no other process did so first. So what a consumer
//! makes of an event is made once, and none is skipped.

use async_trait::async_trait;
use latchkey_domain::{EventConsumer, EventId};
use latchkey_port_macros::observed;

use crate::StoreError;

/// The move of a consumer's position, as a compare-and-swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumerMove {
    pub consumer: EventConsumer,
    /// Where it is; 0 for one that has read none.
    pub from: EventId,
    pub to: EventId,
}

/// The positions of the consumers.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait EventConsumerRepository: Send + Sync {
    /// Returns the number of the last event that a consumer has read; 0 if it has read none.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn consumed(&self, consumer: EventConsumer) -> Result<EventId, StoreError>;
}
