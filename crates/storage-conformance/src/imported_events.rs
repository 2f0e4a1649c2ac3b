//! Events of other systems: below the numbers of the store, once, and seen by no follower.

use std::sync::Arc;

use latchkey_domain::{Actor, Event, EventId, EventKind, NewEvent, Origin, ProjectScope, Snapshot, UserId};
use latchkey_ports::{Continuity, EventQuery, EventScope, FeedPosition, Page, Store};
use serde_json::json;

use crate::{
    event_log::{latest_event, seal_events},
    harness::{all_events, run_concurrently},
    samples::{
        event, extreme_moments, moment, only, project, project_created, project_id, token, token_deleted,
    },
    setup,
};

fn imported(number: i64, record: NewEvent) -> Event {
    Event { id: EventId::imported(number).expect("an id"), record }
}

/// Events with every kind of actor, place and state, in their order.
fn samples() -> Vec<Event> {
    let state = |value| Snapshot::from_record(value).expect("an object");
    let plain = |kind| NewEvent { subject: None, origin: Origin::default(), ..event(kind) };
    let records = [
        NewEvent {
            actor: Actor::Elsewhere { name: "ada@example.com".to_owned() },
            projects: None,
            environment: None,
            at: moment(900),
            ..plain(EventKind::UserCreated)
        },
        NewEvent {
            actor: Actor::AdminToken { name: "ci".to_owned() },
            projects: Some(only(&["gone", "default"])),
            before: Some(state(json!({ "a": [1, { "b": null }] }))),
            at: moment(1),
            ..plain(EventKind::ApiTokenDeleted)
        },
        NewEvent {
            actor: Actor::User { id: UserId(5), name: "ed".to_owned() },
            projects: Some(ProjectScope::All),
            after: Some(state(json!({ "text": "日本語 \"'\\" }))),
            at: moment(2),
            ..plain(EventKind::ApiTokenCreated)
        },
        NewEvent { at: moment(3), ..event(EventKind::ProjectCreated) },
    ];
    (1..).step_by(3).zip(records).map(|(number, record)| imported(number, record)).collect()
}

/// Returns all events, newest first.
async fn listed(store: &dyn Store, query: EventQuery) -> Vec<Event> {
    let page = store.events(&query).await.expect("events");
    assert_eq!(page.total, page.events.len() as u64);
    page.events
}

async fn all(store: &dyn Store) -> Vec<Event> {
    let mut events = listed(store, EventQuery::within(EventScope::All)).await;
    events.reverse();
    events
}

/// Every part of an event is as it was, and all of them come before those of the store, whenever those were recorded.
pub async fn imported_events_come_first_in_their_order(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    let own = all_events(store).await;
    store.import_events(&samples()).await.expect("imported");
    assert_eq!(all(store).await, [samples(), own.clone()].concat());
    setup::projects(store, &["b"]).await;
    let all_of_them = all(store).await;
    assert_eq!(all_of_them[..samples().len()], samples());
    assert_eq!(all_events(store).await.len(), own.len() + 1);

    let names_one =
        |event: &Event| event.record.projects.as_ref().is_some_and(|scope| scope.names(&project_id("gone")));
    let query = EventQuery { projects: vec![project_id("gone")], ..EventQuery::within(EventScope::All) };
    let found = listed(store, query).await;
    assert_eq!(found.len(), samples().iter().filter(|event| names_one(event)).count());
    let query = EventQuery { kinds: vec![EventKind::UserCreated], ..EventQuery::within(EventScope::All) };
    assert_eq!(listed(store, query).await, samples()[..1]);
    let page = EventQuery { page: Page { limit: Some(2), offset: 3 }, ..EventQuery::within(EventScope::All) };
    let page = store.events(&page).await.expect("a page").events;
    assert_eq!(page, [samples()[2].clone(), samples()[1].clone()], "pages go on among them");
}

/// The numbers of a store whose log has imported events alone begin with 1.
pub async fn imported_events_use_no_number_of_the_store(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    store.import_events(&samples()).await.expect("imported");
    let project = project("a");
    let id = store.create_project(&project, &[], None, &project_created(&project)).await.expect("created");
    assert_eq!((id, latest_event(store).await), (EventId(1), EventId(1)));
}

/// What is there already, or under a number that is used, stays as it is; the others come.
pub async fn imported_events_come_once(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    store.import_events(&samples()[..2]).await.expect("imported");
    let other = imported(1, event(EventKind::RoleCreated));
    store.import_events(&[other]).await.expect("imported");
    store.import_events(&samples()).await.expect("imported");
    store.import_events(&samples()).await.expect("imported");
    store.import_events(&[]).await.expect("nothing to import");
    assert_eq!(all(store).await, samples());
    let id = |place: usize| samples()[place].id;
    let found = async |first, last| {
        let mut ids = store.event_ids(first, last).await.expect("ids");
        ids.sort();
        ids
    };
    assert_eq!(found(id(1), id(2)).await, [id(1), id(2)]);
    assert_eq!(found(EventId(id(0).0 + 1), EventId(id(1).0 - 1)).await, []);
}

/// Imports at the same time add each event once.
pub async fn concurrent_imports_add_each_event_once(store: &Arc<dyn Store>) {
    let calls = (0..4).map(|_| {
        let store = Arc::clone(store);
        async move { store.import_events(&samples()).await.is_ok() }
    });
    assert!(run_concurrently(calls).await.into_iter().all(|done| done));
    assert_eq!(all(store.as_ref()).await, samples());
}

/// More events than a statement has room for come in one call.
pub async fn thousands_of_events_are_imported(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let record = samples().remove(1).record;
    let many: Vec<Event> = (1..=2_500).map(|number| imported(number, record.clone())).collect();
    store.import_events(&many).await.expect("imported");
    assert_eq!(store.event_ids(many[0].id, many[2_499].id).await.expect("ids").len(), 2_500);
    assert_eq!(all(store).await.len(), 2_500);
}

/// A follower sees none of them, whether it has begun or not, and its feed is unbroken.
pub async fn followers_see_no_imported_event(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let begin = async || {
        let mut page = store.changes_since(&FeedPosition::default(), 100).await.expect("the end");
        while page.continuity != Continuity::Unbroken {
            page = store.changes_since(&page.position, 100).await.expect("a page");
        }
        page.position
    };
    // In an empty log, and again when there are imported events alone.
    let first = begin().await;
    assert_eq!(first.newest(), EventId(0));
    store.import_events(&samples()[..2]).await.expect("imported");
    let page = store.changes_since(&first, 100).await.expect("a page");
    assert_eq!((page.changes, page.continuity), (vec![], Continuity::Unbroken));
    let late = begin().await;
    assert_eq!(late.newest(), EventId(0));

    let stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    store.import_events(&samples()).await.expect("imported");
    let deleted = store.delete_token(stored.token.id, &token_deleted(&stored)).await.expect("removed");
    for position in [first, late] {
        let page = store.changes_since(&position, 100).await.expect("a page");
        let ids: Vec<EventId> = page.changes.iter().map(|change| change.id).collect();
        assert_eq!((ids, page.continuity), (vec![EventId(1), deleted], Continuity::Unbroken));
        assert_eq!(page.position.newest(), deleted);
    }
}

/// They are forgotten by their times, all of them, and the newest of the store stays.
pub async fn imported_events_are_forgotten_by_time(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    store.import_events(&samples()).await.expect("imported");
    assert_eq!(store.forget_events(moment(3)).await.expect("forgotten"), 2);
    assert_eq!(all(store).await, [samples()[0].clone(), samples()[3].clone()]);
    assert_eq!(store.forget_events(moment(1_000)).await.expect("forgotten"), 2, "the newest of them too");
    assert_eq!(all(store).await, []);

    setup::projects(store, &["a", "b"]).await;
    let own = all_events(store).await;
    seal_events(store).await;
    store.import_events(&samples()).await.expect("imported");
    let [.., last] = extreme_moments();
    let forgotten = store.forget_events(last).await.expect("forgotten");
    assert_eq!(forgotten, 4 + own.len() as u64 - 1);
    assert_eq!(all(store).await, own[own.len() - 1..]);
}
