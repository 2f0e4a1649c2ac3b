//! Where the audit trail is read. It is written by the mutating methods of the other ports, and only by them.

use async_trait::async_trait;
use latchkey_domain::{Event, EventId};

use crate::StoreError;

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

    /// At most `limit` events with numbers above `after`, in rising order.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn events_after(&self, after: EventId, limit: u32) -> Result<Vec<Event>, StoreError>;
}
