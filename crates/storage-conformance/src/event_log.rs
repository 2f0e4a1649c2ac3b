//! Reads the event log for tests, in the order of its numbers.

#![expect(clippy::manual_async_fn, reason = "the build script takes each `pub async fn` for a case")]

use latchkey_domain::{ChainHash, Event, EventId};
use latchkey_ports::{EventQuery, EventRepository, EventScope, EventSeal, KeyId, Page};

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

/// Seals the events that are not sealed, together, and returns the seal.
///
/// # Panics
/// If the store fails, or there are none.
pub fn seal_events<S: EventRepository + ?Sized>(store: &S) -> impl Future<Output = EventSeal> + Send {
    async move {
        let newest = store.newest_seal().await.expect("the newest seal");
        let previous = newest.map_or(EventId(0), |seal| seal.last);
        let events = events_after(store, previous).await;
        let seal = EventSeal {
            last: events.last().expect("an event").id,
            previous,
            events: u64::try_from(events.len()).expect("few"),
            newest_at: events.iter().map(|event| event.record.at).max().expect("an event"),
            hash: ChainHash([7; 32]),
            key: KeyId([1, 2, 3, 255]),
            mac: [9; 32],
        };
        assert!(store.add_seal(&seal).await.expect("added"), "{seal:?}");
        seal
    }
}
