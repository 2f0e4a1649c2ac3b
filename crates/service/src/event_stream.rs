//! Reading the audit trail as it grows: every event once, in the order of numbers.

use std::sync::Arc;

use latchkey_domain::{Event, EventId};
use latchkey_ports::{EventRepository, Settlement, StoreError};

use crate::{EventNews, ServiceError};

/// The events above a number, in portions, and those to come. See [`crate::AuditTrail::stream`].
pub struct EventStream {
    events: Arc<dyn EventRepository>,
    news: EventNews,
    after: EventId,
    settlement: Settlement,
}

impl EventStream {
    /// The maximum number of events of a portion, which one stream holds in memory.
    pub const PORTION: u32 = 200;

    pub(crate) async fn open(
        events: Arc<dyn EventRepository>,
        news: EventNews,
        after: EventId,
    ) -> Result<Option<Self>, StoreError> {
        let state = events.settled_events(after, &Settlement::default(), 0).await?;
        let stream = Self { events, news, after, settlement: state.settlement };
        Ok((after <= state.newest).then_some(stream))
    }

    /// Returns the next events; none if no more are settled.
    pub async fn next(&mut self) -> Result<Vec<Event>, ServiceError> {
        // What becomes known from here on may not be among them.
        self.news.clear();
        let read = self.events.settled_events(self.after, &self.settlement, Self::PORTION).await?;
        self.settlement = read.settlement;
        self.after = read.events.last().map_or(self.after, |event| event.id);
        Ok(read.events)
    }

    /// Whether there are events that are not settled yet, so that the next ones come soon, without news.
    pub fn is_pending(&self) -> bool {
        self.settlement.is_pending()
    }

    /// Whether a change has become known since the last portion.
    pub fn has_news(&self) -> bool {
        self.news.is_there()
    }

    /// Waits until a change becomes known, as [`EventStream::has_news`].
    pub async fn news(&mut self) {
        self.news.next().await;
    }
}
