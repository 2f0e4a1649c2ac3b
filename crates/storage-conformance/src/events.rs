//! The event log: one event per change, complete, in the order of the changes.

use std::{net::IpAddr, sync::Arc};

use latchkey_domain::{Actor, Event, EventId, EventKind, NewEvent, Origin, ProjectScope, Snapshot, UserId};
use latchkey_ports::Store;
use serde_json::json;

use crate::{
    event_log::{events_after, latest_event},
    samples::{
        AMPLE_LIMIT, AMPLE_QUOTA, MEMBER, environment, event, extreme_moments, membership_added, memberships,
        only, personal_token, personal_token_created, project, project_created, project_id,
        secret_shown_once, token, token_created, token_deleted, user_created, user_named,
    },
};

/// Returns the newest event, which must be the only one after this id.
async fn only_event_after(store: &dyn Store, last: EventId) -> Event {
    let events = events_after(store, last).await;
    let [event] = <[Event; 1]>::try_from(events).expect("exactly one event");
    assert_eq!(latest_event(store).await, event.id);
    assert!(event.id > last, "{:?} after {last:?}", event.id);
    event
}

/// Stores the event with a project creation, since a store does not check that they match.
async fn assert_event_round_trips(store: &dyn Store, number: usize, record: NewEvent) {
    let last = latest_event(store).await;
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

/// Every mutating method records exactly the given event, under the id that it returns. For a user and a
/// personal token, the store fills in the assigned id.
pub async fn every_mutation_records_its_event(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    let id = store.create_token(&stored, AMPLE_QUOTA, &token_created(&stored)).await.expect("created");
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
    let created = store.create_personal_token(&new, &secret_shown_once(9), AMPLE_LIMIT, &given).await;
    let (personal, id) = created.expect("created");
    let record = given.with_assigned_id(personal.0);
    assert!(record.after.as_ref().is_some_and(|after| after.to_json()["id"] == personal.0));
    assert_eq!(only_event_after(store, last).await, Event { id, record });
}

/// The assigned id is written to `after`; an event without `after` stays without it.
pub async fn an_assigned_id_is_added_only_to_an_existing_snapshot(store: &Arc<dyn Store>) {
    let silent = NewEvent { after: None, ..user_created(&user_named("ed")) };
    let (_, id) = store.create_user(&user_named("ed"), None, &silent).await.expect("created");
    assert_eq!(only_event_after(store.as_ref(), EventId(0)).await, Event { id, record: silent });
}

/// Every event kind and every kind of actor is read back.
pub async fn every_event_kind_and_actor_round_trips(store: &Arc<dyn Store>) {
    let name = "Grace 🦀 'Hopper'\"\\".to_owned();
    let actors = [
        Actor::System,
        Actor::AdminToken { name: name.clone() },
        Actor::User { id: UserId(1), name: name.clone() },
        Actor::Elsewhere { name: name.clone() },
        Actor::User { id: UserId(i64::MAX), name: name.repeat(20) },
    ];
    let by_actors = actors.map(|actor| NewEvent { actor, ..full() });
    let of_kinds = EventKind::ALL.iter().map(|kind| event(*kind));
    for (number, record) in by_actors.into_iter().chain(of_kinds).enumerate() {
        assert_event_round_trips(store.as_ref(), number, record).await;
    }
}

/// IPv4 and IPv6 addresses, no address, and user agents of up to 255 characters of any script are read
/// back.
pub async fn event_origins_round_trip(store: &Arc<dyn Store>) {
    let addresses =
        ["192.0.2.7", "255.255.255.255", "::1", "2001:db8::ff00:42:8329", "::ffff:192.0.2.7", "::"];
    let addresses = addresses.map(|text| text.parse::<IpAddr>().expect("an address"));
    let longest = "🎉".repeat(Origin::MAX_USER_AGENT);
    let agents = [None, Some(""), Some("Mozilla/5.0 (X11; 'quoted' \"%_\\)"), Some(longest.as_str())];
    let of_addresses = addresses.map(|address| Origin::new(Some(address), Some("curl/8.5.0")));
    let of_agents = agents.map(|agent| Origin::new(None, agent));
    for (number, origin) in of_addresses.into_iter().chain(of_agents).enumerate() {
        assert_event_round_trips(store.as_ref(), number, NewEvent { origin, ..full() }).await;
    }
}

/// No projects, all projects and a list of projects stay distinct. The projects and the environment need
/// not exist.
pub async fn event_projects_and_environments_round_trip(store: &Arc<dyn Store>) {
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
        assert_event_round_trips(store.as_ref(), number, NewEvent { projects, environment, ..full() }).await;
    }
}

/// `before` and `after` are stored separately and unchanged: nested values, any script, the largest
/// numbers.
pub async fn event_snapshots_round_trip(store: &Arc<dyn Store>) {
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
        assert_event_round_trips(store.as_ref(), number, NewEvent { before, after, ..full() }).await;
    }
}

/// Times from year 0000 to year 9999 keep their milliseconds and do not affect the order.
pub async fn event_times_of_all_years_round_trip(store: &Arc<dyn Store>) {
    for (number, at) in extreme_moments().into_iter().rev().enumerate() {
        assert_event_round_trips(store.as_ref(), number, NewEvent { at, ..full() }).await;
    }
}
