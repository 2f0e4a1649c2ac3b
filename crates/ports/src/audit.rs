//! Where the audit trail is read. It is written by the mutating methods of the other ports, and only by them.

use async_trait::async_trait;
use latchkey_domain::{Event, EventId, Timestamp};

use crate::{EventQuery, StoreError};

/// A page of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// The events, newest first.
    pub events: Vec<Event>,
    /// How many there are on all pages; counted to [`EventQuery::MAX_COUNTED`] and no further.
    pub total: u64,
}

/// The audit trail.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait EventRepository: Send + Sync {
    /// The number of the newest event; 0 before the first.
    ///
    /// Numbers become visible in rising order: once this has answered `n`, no event numbered `n` or less can still
    /// appear. A process that remembers the last number it saw has therefore missed nothing (design, "Verification").
    ///
    /// # Errors
    /// `Unavailable`.
    async fn latest_event(&self) -> Result<EventId, StoreError>;

    /// Returns when there may be new events since the last time, soon after they came; a store that has no way to tell
    /// never does. A hint: one can be lost, and one can come for nothing, so whoever follows the events looks at intervals
    /// besides. For one caller at a time; dropped half-way, it loses nothing.
    async fn event_announced(&self) {
        std::future::pending::<()>().await;
    }

    /// Whether at this moment each event is announced as soon as it is committed, so that looking besides can wait longer.
    /// When that ends, [`EventRepository::event_announced`] returns.
    fn announces_events(&self) -> bool {
        false
    }

    /// At most `limit` events with numbers above `after`, in rising order.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn events_after(&self, after: EventId, limit: u32) -> Result<Vec<Event>, StoreError>;

    /// The events asked for, newest first.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn events(&self, query: &EventQuery) -> Result<EventPage, StoreError>;

    /// Forgets events before that moment, but never the newest of all; says how many. Leaves no event: what is kept and
    /// for how long, an operator decides.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn forget_events(&self, before: Timestamp) -> Result<u64, StoreError>;
}
