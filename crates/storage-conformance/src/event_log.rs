//! Reads the event log for tests, in the order of its numbers.

#![expect(clippy::manual_async_fn, reason = "the build script takes each `pub async fn` for a case")]

use latchkey_domain::{Event, EventId};
use latchkey_ports::{EventQuery, EventRepository, EventScope, Page};

/// Returns the number of the newest event; 0 before the first.
///
/// # Panics
/// If the store fails.
pub fn latest_event<S: EventRepository + ?Sized>(store: &S) -> impl Future<Output = EventId> + Send {
    async move {
        let query = EventQuery { page: Page::first(1), ..EventQuery::within(EventScope::All) };
        let page = store.events(&query).await.expect("the newest event");
        page.events.first().map_or(EventId(0), |event| event.id)
    }
}

/// Returns the events above a number.
///
/// # Panics
/// If the store fails.
pub fn events_after<S: EventRepository + ?Sized>(
    store: &S,
    EventId(number): EventId,
) -> impl Future<Output = Vec<Event>> + Send {
    async move {
        let page = store.events(&EventQuery::within(EventScope::All)).await.expect("all events");
        let mut events: Vec<Event> = page.events.into_iter().filter(|event| event.id.0 > number).collect();
        events.reverse();
        events
    }
}
