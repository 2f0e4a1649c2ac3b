//! Reading the audit trail. It is written by the mutating methods of the other ports only.

use async_trait::async_trait;
use latchkey_domain::{Event, EventId, Timestamp};
use latchkey_port_macros::observed;

use crate::{EventQuery, StoreError};

/// A page of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// The events, newest first.
    pub events: Vec<Event>,
    /// The number on all pages, up to [`EventQuery::MAX_COUNTED`].
    pub total: u64,
}

/// The audit trail.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait EventRepository: Send + Sync {
    /// Returns the number of the newest event; 0 before the first.
    ///
    /// Numbers become visible in rising order: once this has answered `n`, no event numbered `n` or less can still
    /// appear. A process that remembers the last number that it saw has therefore missed nothing.
    async fn latest_event(&self) -> Result<EventId, StoreError>;

    /// Waits until there may be new events since the last call; for ever in a store without notifications. A
    /// notification can be lost or spurious, so the caller polls at intervals as well. For one caller at a time; a call
    /// that is dropped half-way loses nothing.
    async fn event_announced(&self) {
        std::future::pending::<()>().await;
    }

    /// Whether notifications work at this moment, so that polling can be less frequent. When they stop working,
    /// [`EventRepository::event_announced`] returns.
    fn announces_events(&self) -> bool {
        false
    }

    /// Returns at most `limit` events with numbers above `after`, in rising order.
    async fn events_after(&self, after: EventId, limit: u32) -> Result<Vec<Event>, StoreError>;

    /// Returns the events of a query, newest first.
    async fn events(&self, query: &EventQuery) -> Result<EventPage, StoreError>;

    /// Deletes the events before that moment, but never the newest of all, and returns their number. Leaves no event:
    /// the operator decides on the retention.
    async fn forget_events(&self, before: Timestamp) -> Result<u64, StoreError>;
}
