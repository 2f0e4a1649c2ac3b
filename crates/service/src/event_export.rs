//! Reading all events of a filter, however many there are.

use std::sync::Arc;

use latchkey_domain::Event;
use latchkey_ports::{EventQuery, EventRepository, Page};

use crate::ServiceError;

/// The events of a filter, newest first, in portions. See [`crate::AuditTrail::export`].
///
/// What is recorded meanwhile is not among them. What the retention removes meanwhile may be missing at the end.
pub struct EventExport {
    events: Arc<dyn EventRepository>,
    /// The query for the next portion; `None` after the last one.
    query: Option<EventQuery>,
}

impl EventExport {
    /// The maximum number of events of a portion.
    pub const PORTION: u32 = 500;

    pub(crate) fn new(events: Arc<dyn EventRepository>, query: EventQuery) -> Self {
        Self { events, query: Some(EventQuery { page: Page::first(Self::PORTION), ..query }) }
    }

    /// Returns the next events; none at the end.
    pub async fn next(&mut self) -> Result<Vec<Event>, ServiceError> {
        let Some(query) = self.query.take() else { return Ok(Vec::new()) };
        let events = self.events.events(&query).await?.events;
        self.query = events.last().map(|last| EventQuery { below: Some(last.id), ..query });
        Ok(events)
    }
}
