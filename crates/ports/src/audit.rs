//! Reading the audit trail, and recording what is no change. Changes are recorded by the mutating methods of the other ports.

use async_trait::async_trait;
use latchkey_domain::{Event, EventId, NewEvent, Timestamp};
use latchkey_port_macros::observed;

use crate::{EventQuery, EventSeal, FeedPage, FeedPosition, SettledEvents, Settlement, StoreError};

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
    /// Returns what happened since a position, at most `limit` changes.
    ///
    /// A page goes up to the present: every event that is visible in the state that was read is on this page or an
    /// earlier one, unless the page is not [`Continuity::Unbroken`](crate::Continuity). Numbers can become visible in
    /// another order than that in which they were drawn; of two changes of one token, the later has the higher number.
    async fn changes_since(&self, position: &FeedPosition, limit: u32) -> Result<FeedPage, StoreError>;

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

    /// Leaves a sign of life for the replicas of this store, if it has any and nothing was committed since the last call. By it
    /// they tell a store without changes from one that they have lost. To be called more often than twice in the shortest
    /// staleness that followers of replicas allow.
    async fn heartbeat(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Returns the events of a query, newest first.
    async fn events(&self, query: &EventQuery) -> Result<EventPage, StoreError>;

    /// Returns the settled events above a number, at most `limit`, in the order of their numbers. A reader that continues after the last of
    /// them gets every event once, however changes are committed. The settlement is that of the call before, or the default.
    ///
    /// There are none above the settled ones while a transaction that may have drawn a lower number runs; see [`Settlement`].
    async fn settled_events(
        &self,
        after: EventId,
        settlement: &Settlement,
        limit: u32,
    ) -> Result<SettledEvents, StoreError>;

    /// Returns the newest seal of the chain over events.
    async fn newest_seal(&self) -> Result<Option<EventSeal>, StoreError>;

    /// Returns the seals whose last events are above a number, at most `limit`, in order.
    async fn seals_after(&self, last: EventId, limit: u32) -> Result<Vec<EventSeal>, StoreError>;

    /// Adds a seal if it goes on from the newest one, and returns whether it does. Otherwise another process was first.
    async fn add_seal(&self, seal: &EventSeal) -> Result<bool, StoreError>;

    /// Records an event that is no change, such as the leak of a secret.
    ///
    /// # Errors
    /// `NotFound` if the event is about a token that does not exist: the removal of a token is the last event about it;
    /// `Unavailable`.
    async fn record(&self, event: &NewEvent) -> Result<EventId, StoreError>;

    /// Deletes the events of the oldest seals that have no event at or after that moment, and those seals but the last of them, from
    /// which the chain goes on. The newest event of all stays, and so do events that are not sealed. Imported events, which no seal
    /// covers, are deleted if they are before that moment. Returns the number of events.
    ///
    /// Seals go before their events, so that events are missing below the first seal alone. A follower that has not read them yet
    /// gets a page that is not unbroken. Leaves no event: the operator decides on the retention.
    async fn forget_events(&self, before: Timestamp) -> Result<u64, StoreError>;
}
