//! The event log.

use std::ops::Bound;

use async_trait::async_trait;
use latchkey_domain::{Event, EventId, NewEvent, ProjectId, Subject, Timestamp};
use latchkey_ports::{
    Change, EventPage, EventQuery, EventRepository, EventScope, EventSeal, FeedPage, FeedPosition,
    FeedReading, SettledEvents, Settlement, StoreError,
};

use crate::{
    MemoryStore,
    state::{count, page_of, to_usize},
};

fn names(event: &NewEvent, project: &ProjectId) -> bool {
    event.projects.as_ref().is_some_and(|scope| scope.names(project))
}

fn is_in_scope(scope: &EventScope, event: &NewEvent) -> bool {
    match scope {
        EventScope::All => true,
        EventScope::AnyProject => event.projects.is_some(),
        EventScope::Projects(projects) => projects.iter().any(|project| names(event, project)),
    }
}

fn matches_query(query: &EventQuery, Event { id, record: event }: &Event) -> bool {
    let EventQuery { scope, kinds, projects, actors, from, before, below, text: _, page: _ } = query;
    below.is_none_or(|below| *id < below)
        && is_in_scope(scope, event)
        && (kinds.is_empty() || kinds.contains(&event.kind))
        && (projects.is_empty() || projects.iter().any(|project| names(event, project)))
        && (actors.is_empty() || actors.contains(&event.actor.user_id()))
        && from.is_none_or(|from| event.at >= from)
        && before.is_none_or(|before| event.at < before)
}

/// Whether the state before or after contains the text, which is in lower case.
fn contains(event: &NewEvent, text: &str) -> bool {
    let states = [&event.before, &event.after].into_iter().flatten();
    states.map(|state| state.to_json().to_string().to_ascii_lowercase()).any(|state| state.contains(text))
}

#[async_trait]
impl EventRepository for MemoryStore {
    async fn changes_since(&self, position: &FeedPosition, limit: u32) -> Result<FeedPage, StoreError> {
        let state = self.state();
        let newest = state.latest_event();
        let first = state.events.partition_point(|event| event.id <= position.newest());
        let new = state.events.iter().skip(first).take(to_usize(limit).saturating_add(1));
        // One change after the other: no number is missing below a visible one.
        let changes = new.map(Change::from).collect();
        Ok(position.advance(FeedReading { newest, changes, ..FeedReading::default() }, limit))
    }

    async fn events(&self, query: &EventQuery) -> Result<EventPage, StoreError> {
        let state = self.state();
        let text = query.text_in_json();
        let searched = if text.is_some() { to_usize(EventQuery::MAX_SEARCHED) } else { usize::MAX };
        let matching = || {
            let events = state.events.iter().rev().filter(|event| matches_query(query, event));
            let found = |event: &&Event| text.as_ref().is_none_or(|text| contains(&event.record, text));
            events.take(searched).filter(found)
        };
        let total = count(matching()).min(EventQuery::MAX_COUNTED);
        Ok(EventPage { events: page_of(matching().cloned(), query.page), total })
    }

    async fn settled_events(
        &self,
        after: EventId,
        _: &Settlement,
        limit: u32,
    ) -> Result<SettledEvents, StoreError> {
        let state = self.state();
        let newest = state.latest_event();
        let first = state.events.partition_point(|event| event.id <= after.max(EventId(0)));
        let events = state.events.iter().skip(first).take(to_usize(limit)).cloned().collect();
        Ok(SettledEvents { events, newest, settlement: Settlement::up_to(newest) })
    }

    async fn newest_seal(&self) -> Result<Option<EventSeal>, StoreError> {
        Ok(self.state().newest_seal().cloned())
    }

    async fn seals_after(&self, last: EventId, limit: u32) -> Result<Vec<EventSeal>, StoreError> {
        let state = self.state();
        let seals = state.event_seals.range((Bound::Excluded(last), Bound::Unbounded));
        Ok(seals.map(|(_, seal)| seal.clone()).take(to_usize(limit)).collect())
    }

    async fn add_seal(&self, seal: &EventSeal) -> Result<bool, StoreError> {
        Ok(self.state().add_seal(seal))
    }

    async fn record(&self, event: &NewEvent) -> Result<EventId, StoreError> {
        let mut state = self.state();
        if let Some(Subject::Token(id)) = event.subject {
            state.stored_token(id)?;
        }
        Ok(state.record(event.clone()))
    }

    async fn forget_events(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(self.state().forget_events(before))
    }
}
