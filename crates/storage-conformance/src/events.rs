//! The audit trail: one event for each change, with all that it says, in the order of the changes.

use std::{net::IpAddr, sync::Arc};

use latchkey_domain::{Actor, Event, EventId, EventKind, NewEvent, Origin, ProjectScope, Snapshot, UserId};
use latchkey_ports::Store;
use serde_json::json;

use crate::{
    given,
    observed::all_events,
    samples::{
        MANY, MEMBER, ROOM_ENOUGH, environment, event, extreme_moments, membership_added, memberships, only,
        personal_token, personal_token_created, project, project_created, project_id, secret_shown_once,
        token, token_created, token_deleted, user_created, user_named,
    },
};

/// The newest event, which must be the only one above that number.
async fn only_event_after(store: &dyn Store, last: EventId) -> Event {
    let events = store.events_after(last, 10).await.expect("events");
    let [event] = <[Event; 1]>::try_from(events).expect("exactly one event");
    assert_eq!(store.latest_event().await.expect("a number"), event.id);
    assert!(event.id > last, "{:?} after {last:?}", event.id);
    event
}

/// Keeps the event by way of a project's creation, since a store does not ask whether they fit.
async fn is_read_back(store: &dyn Store, number: usize, record: NewEvent) {
    let last = store.latest_event().await.expect("a number");
    let id =
        store.create_project(&project(&format!("p{number}")), &[], None, &record).await.expect("created");
    assert_eq!(only_event_after(store, last).await, Event { id, record });
}

fn full() -> NewEvent {
    event(EventKind::ApiTokenUpdated)
}

fn snapshot(value: serde_json::Value) -> Snapshot {
    Snapshot::from_record(value).expect("an object")
}

/// Every method that changes something leaves exactly one event, the one given, under the number that it answers.
/// To that of a user and of a personal token, the store adds the id that it gave, in place of any other.
pub async fn every_mutation_leaves_its_event(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    let id = store.create_token(&stored, ROOM_ENOUGH, &token_created(&stored)).await.expect("created");
    let created = only_event_after(store, EventId(0)).await;
    assert_eq!(created, Event { id, record: token_created(&stored) });

    let last = id;
    let id = store.delete_token(stored.token.id, &token_deleted(&stored)).await.expect("removed");
    assert_eq!(only_event_after(store, last).await, Event { id, record: token_deleted(&stored) });

    let last = id;
    let id = store
        .create_project(&project("a"), &[], None, &project_created(&project("a")))
        .await
        .expect("created");
    assert_eq!(only_event_after(store, last).await, Event { id, record: project_created(&project("a")) });

    let last = id;
    let ed = user_named("ed");
    let mut given = user_created(&ed);
    given.after = Some(snapshot(json!({ "id": "to be replaced", "username": "ed" })));
    let (user, id) = store.create_user(&ed, None, &given).await.expect("created");
    let record = NewEvent { after: Some(snapshot(json!({ "id": user.0, "username": "ed" }))), ..given };
    assert_eq!(only_event_after(store, last).await, Event { id, record });

    let last = id;
    let default = project_id("default");
    let given = membership_added(user, &default, MEMBER);
    let id = store.add_memberships(&memberships(&[user], &default, &[MEMBER]), &given).await.expect("given");
    assert_eq!(only_event_after(store, last).await, Event { id, record: given });

    let last = id;
    let new = personal_token(user, "ci");
    let given = personal_token_created(&new);
    let created = store.create_personal_token(&new, &secret_shown_once(9), MANY, &given).await;
    let (personal, id) = created.expect("created");
    let record = given.with_assigned_id(personal.0);
    assert!(record.after.as_ref().is_some_and(|after| after.to_json()["id"] == personal.0));
    assert_eq!(only_event_after(store, last).await, Event { id, record });
}

/// An id is added to what is there now, and where nothing is said of that, nothing is added.
pub async fn no_id_is_added_to_nothing(store: &Arc<dyn Store>) {
    let silent = NewEvent { after: None, ..user_created(&user_named("ed")) };
    let (_, id) = store.create_user(&user_named("ed"), None, &silent).await.expect("created");
    assert_eq!(only_event_after(store.as_ref(), EventId(0)).await, Event { id, record: silent });
}

/// Every kind of event and every sort of actor is read back.
pub async fn kinds_and_actors_are_read_back(store: &Arc<dyn Store>) {
    let name = "Grace 🦀 'Hopper'\"\\".to_owned();
    let actors = [
        Actor::System,
        Actor::AdminToken { name: name.clone() },
        Actor::User { id: UserId(1), name: name.clone() },
        Actor::User { id: UserId(i64::MAX), name: name.repeat(20) },
    ];
    let by_actors = actors.map(|actor| NewEvent { actor, ..full() });
    let of_kinds = EventKind::ALL.iter().map(|kind| event(*kind));
    for (number, record) in by_actors.into_iter().chain(of_kinds).enumerate() {
        is_read_back(store.as_ref(), number, record).await;
    }
}

/// Addresses of both families, none, and user agents up to 255 characters of any script are read back.
pub async fn origins_are_read_back(store: &Arc<dyn Store>) {
    let addresses =
        ["192.0.2.7", "255.255.255.255", "::1", "2001:db8::ff00:42:8329", "::ffff:192.0.2.7", "::"];
    let addresses = addresses.map(|text| text.parse::<IpAddr>().expect("an address"));
    let longest = "🎉".repeat(Origin::MAX_USER_AGENT);
    let agents = [None, Some(""), Some("Mozilla/5.0 (X11; 'quoted' \"%_\\)"), Some(longest.as_str())];
    let of_addresses = addresses.map(|address| Origin::new(Some(address), Some("curl/8.5.0")));
    let of_agents = agents.map(|agent| Origin::new(None, agent));
    for (number, origin) in of_addresses.into_iter().chain(of_agents).enumerate() {
        is_read_back(store.as_ref(), number, NewEvent { origin, ..full() }).await;
    }
}

/// No projects, all projects, and some in the order given are three things; the projects and the environment need not
/// be there (any more).
pub async fn places_are_read_back(store: &Arc<dyn Store>) {
    let longest = "x".repeat(100);
    let scopes = [
        None,
        Some(ProjectScope::All),
        Some(only(&["default"])),
        Some(only(&["z", "a", "gone", "default", "Z", &longest])),
    ];
    let environments =
        [None, Some(environment("production")), Some(environment("gone")), Some(environment(&longest))];
    for (number, (projects, environment)) in scopes.into_iter().zip(environments).enumerate() {
        is_read_back(store.as_ref(), number, NewEvent { projects, environment, ..full() }).await;
    }
}

/// What was before and what is now are kept apart, as they were: nested, of any script, of the largest numbers.
pub async fn snapshots_are_read_back(store: &Arc<dyn Store>) {
    let rich = json!({
        "text": "日本語 🎉 'a' \"b\" \\ %_ {}",
        "b": null, "a": [true, false, [], {}, { "c": [1, -1, i64::MAX, i64::MIN] }],
        "": "an empty key", "Ä": 0,
    });
    let pairs = [
        (None, None),
        (Some(rich.clone()), None),
        (None, Some(rich)),
        (Some(json!({})), Some(json!({ "now": "long ".repeat(10_000) }))),
        (Some(json!({ "same": 1 })), Some(json!({ "same": 1 }))),
    ];
    for (number, (before, after)) in pairs.into_iter().enumerate() {
        let (before, after) = (before.map(snapshot), after.map(snapshot));
        is_read_back(store.as_ref(), number, NewEvent { before, after, ..full() }).await;
    }
}

/// Moments from the year 0000 to the year 9999 are kept to the millisecond, and do not decide the order.
pub async fn moments_of_all_years_are_read_back(store: &Arc<dyn Store>) {
    for (number, at) in extreme_moments().into_iter().rev().enumerate() {
        is_read_back(store.as_ref(), number, NewEvent { at, ..full() }).await;
    }
}

/// The trail is read page by page, in rising order, each page from the last number of the one before.
pub async fn the_trail_is_read_in_pages(store: &Arc<dyn Store>) {
    const EVENTS: usize = 25;
    let store = store.as_ref();
    let mut expected = Vec::new();
    for number in 0..EVENTS {
        let project = project(&format!("p{number}"));
        let id =
            store.create_project(&project, &[], None, &project_created(&project)).await.expect("created");
        expected.push(Event { id, record: project_created(&project) });
    }
    assert!(expected.windows(2).all(|pair| pair[0].id < pair[1].id), "numbers must rise");
    for size in [1, 7, 25, 26, u32::MAX] {
        let (mut read, mut last) = (Vec::new(), EventId(0));
        loop {
            let page = store.events_after(last, size).await.expect("events");
            assert!(page.len() <= usize::try_from(size).expect("64 bits"), "{} > {size}", page.len());
            let Some(newest) = page.last() else { break };
            last = newest.id;
            read.extend(page);
        }
        assert_eq!(read, expected, "in pages of {size}");
        assert_eq!(store.latest_event().await.expect("a number"), last);
    }
}

/// A page of nothing, and numbers beyond both ends, are no errors.
pub async fn the_ends_of_the_trail(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a", "b"]).await;
    let all = all_events(store).await;
    let last = all[1].id;
    assert_eq!(store.events_after(EventId(0), 0).await.expect("events"), []);
    assert_eq!(store.events_after(last, 10).await.expect("events"), []);
    assert_eq!(store.events_after(EventId(last.0 + 1_000), 10).await.expect("events"), []);
    assert_eq!(store.events_after(EventId(i64::MAX), 10).await.expect("events"), []);
    assert_eq!(store.events_after(EventId(-1), 10).await.expect("events"), all);
    assert_eq!(store.events_after(EventId(i64::MIN), 10).await.expect("events"), all);
    assert_eq!(store.events_after(all[0].id, 10).await.expect("events"), all[1..]);
}
