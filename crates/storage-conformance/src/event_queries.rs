//! Searches of the event log, and its retention.

use std::sync::Arc;

use EventKind::{ApiTokenCreated, ApiTokenDeleted, ProjectCreated, UserCreated};
use latchkey_domain::{
    Actor, Event, EventId, EventKind, NewEvent, Project, ProjectDescription, ProjectId, ProjectScope,
    Timestamp, UserId,
};
use latchkey_ports::{EventQuery, EventScope, Page, Store};

use crate::{
    event_log::{latest_event, seal_events},
    harness::all_events,
    samples::{
        admin_token, event, extreme_moments, moment, new_token, only, project, project_id, project_removal,
    },
    setup,
};

/// Stores these events with project creations, since a store does not check that they match.
async fn store_events(store: &dyn Store, records: impl IntoIterator<Item = NewEvent>) {
    for record in records {
        let EventId(number) = latest_event(store).await;
        let project = project(&format!("stored-by-{number}"));
        store.create_project(&project, &[], None, &record).await.expect("created");
    }
}

fn all_events_query() -> EventQuery {
    EventQuery::within(EventScope::All)
}

fn projects(ids: &[&str]) -> Vec<ProjectId> {
    ids.iter().map(|id| project_id(id)).collect()
}

/// Runs the query and expects the events at these positions of the log (from 0), in this order, and that
/// total.
async fn assert_finds(store: &dyn Store, query: &EventQuery, expected: &[usize]) {
    let events = all_events(store).await;
    let page = store.events(query).await.expect("events");
    let expected: Vec<Event> = expected.iter().map(|index| events[*index].clone()).collect();
    assert_eq!(page.events, expected, "{query:?}");
    assert_eq!(page.total, u64::try_from(expected.len()).expect("few"), "{query:?}");
}

/// Events are returned complete, newest first by id, whatever their times.
pub async fn events_are_found_newest_first(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    assert_finds(store, &all_events_query(), &[]).await;
    let moments = [5, 9, 1, 5].map(|at| NewEvent { at: moment(at), ..event(UserCreated) });
    store_events(store, moments).await;
    assert_finds(store, &all_events_query(), &[3, 2, 1, 0]).await;
}

/// An event matches any of the requested kinds; all kinds are distinct.
pub async fn events_are_filtered_by_kind(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    store_events(store, EventKind::ALL.iter().map(|kind| event(*kind))).await;
    let last = EventKind::ALL.len() - 1;
    for (index, kind) in EventKind::ALL.iter().enumerate() {
        assert_finds(store, &EventQuery { kinds: vec![*kind], ..all_events_query() }, &[index]).await;
    }
    let ends = vec![EventKind::ALL[0], EventKind::ALL[last], EventKind::ALL[0]];
    assert_finds(store, &EventQuery { kinds: ends, ..all_events_query() }, &[last, 0]).await;
    let everything: Vec<_> = (0..=last).rev().collect();
    assert_finds(store, &EventQuery { kinds: EventKind::ALL.to_vec(), ..all_events_query() }, &everything)
        .await;
    assert_finds(store, &EventQuery { kinds: vec![], ..all_events_query() }, &everything).await;
}

/// Actors are users, admin tokens (one id for all) and Latchkey itself.
pub async fn events_are_filtered_by_actor(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = |id| Actor::User { id: UserId(id), name: "ed".to_owned() };
    let token = |name: &str| Actor::AdminToken { name: name.to_owned() };
    let actors = [ed(1), token("a"), Actor::System, ed(2), token("b"), ed(1), ed(i64::MAX)];
    store_events(store, actors.into_iter().map(|actor| NewEvent { actor, ..event(UserCreated) })).await;
    let expected: [(&[i64], &[usize]); 7] = [
        (&[1], &[5, 0]),
        (&[-42], &[4, 1]),
        (&[-1337], &[2]),
        (&[i64::MAX, 2], &[6, 3]),
        (&[2, 1, -42, 2], &[5, 4, 3, 1, 0]),
        (&[3, i64::MIN, 0], &[]),
        (&[], &[6, 5, 4, 3, 2, 1, 0]),
    ];
    for (actors, expected) in expected {
        assert_finds(store, &EventQuery { actors: actors.to_vec(), ..all_events_query() }, expected).await;
    }
}

/// `from` is inclusive, `before` is exclusive.
pub async fn events_are_filtered_by_time(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [first, .., last] = extreme_moments();
    let moments = [moment(5), moment(6), first, moment(5), last, moment(7)];
    store_events(store, moments.map(|at| NewEvent { at, ..event(UserCreated) })).await;
    let expected: [(Option<Timestamp>, Option<Timestamp>, &[usize]); 8] = [
        (Some(moment(6)), None, &[5, 4, 1]),
        (None, Some(moment(6)), &[3, 2, 0]),
        (Some(moment(5)), Some(moment(7)), &[3, 1, 0]),
        (Some(moment(6)), Some(moment(6)), &[]),
        (Some(moment(7)), Some(moment(6)), &[]),
        (Some(last), None, &[4]),
        (None, Some(first), &[]),
        (Some(first), Some(last), &[5, 3, 2, 1, 0]),
    ];
    for (from, before, expected) in expected {
        assert_finds(store, &EventQuery { from, before, ..all_events_query() }, expected).await;
    }
}

/// Portions go on below the last number, with any other filter.
pub async fn events_are_found_below_a_number(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let scopes = [Some(only(&["a"])), None, Some(only(&["a", "b"])), Some(only(&["b"])), Some(only(&["a"]))];
    store_events(store, scopes.map(|projects| NewEvent { projects, ..event(ApiTokenCreated) })).await;
    let ids: Vec<EventId> = all_events(store).await.iter().map(|event| event.id).collect();
    let reach = |ids: &[&str]| EventScope::Projects(projects(ids).into_iter().collect());
    for (below, expected) in [(5, &[4, 3, 2, 1, 0][..]), (4, &[3, 2, 1, 0]), (1, &[0]), (0, &[])] {
        let below = Some(ids.get(below).copied().unwrap_or(EventId(i64::MAX)));
        assert_finds(store, &EventQuery { below, ..all_events_query() }, expected).await;
        let of_a: Vec<usize> = expected.iter().copied().filter(|place| [0, 2, 4].contains(place)).collect();
        assert_finds(store, &EventQuery { below, projects: projects(&["a"]), ..all_events_query() }, &of_a)
            .await;
        assert_finds(store, &EventQuery { below, ..EventQuery::within(reach(&["a"])) }, &of_a).await;
        let kinds = vec![ApiTokenCreated];
        assert_finds(store, &EventQuery { below, kinds, ..all_events_query() }, expected).await;
        assert_finds(store, &EventQuery { below, kinds: vec![UserCreated], ..all_events_query() }, &[]).await;
    }
}

/// Stores events that concern no project, all projects, and some projects.
async fn store_events_of_all_scopes(store: &dyn Store) {
    let scopes = [
        None,
        Some(ProjectScope::All),
        Some(only(&["a"])),
        Some(only(&["b", "a"])),
        Some(only(&["A"])),
        Some(only(&["gone", "b", "default"])),
    ];
    store_events(store, scopes.into_iter().map(|projects| NewEvent { projects, ..event(ApiTokenCreated) }))
        .await;
}

/// An event matches if it names any of the projects, whether they exist or not. It is returned once, and
/// events of all projects do not match.
pub async fn events_are_filtered_by_project(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    store_events_of_all_scopes(store).await;
    let expected: [(&[&str], &[usize]); 7] = [
        (&["a"], &[3, 2]),
        (&["b"], &[5, 3]),
        (&["a", "b", "a"], &[5, 3, 2]),
        (&["A"], &[4]),
        (&["gone"], &[5]),
        (&["nope", "_"], &[]),
        (&[], &[5, 4, 3, 2, 1, 0]),
    ];
    for (ids, expected) in expected {
        assert_finds(store, &EventQuery { projects: projects(ids), ..all_events_query() }, expected).await;
    }
}

/// The scope is everything, any project, or these projects; with an empty list nothing matches.
pub async fn events_are_restricted_by_scope(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    store_events_of_all_scopes(store).await;
    let some = |ids| EventScope::Projects(projects(ids).into_iter().collect());
    assert_finds(store, &all_events_query(), &[5, 4, 3, 2, 1, 0]).await;
    assert_finds(store, &EventQuery::within(EventScope::AnyProject), &[5, 4, 3, 2, 1]).await;
    assert_finds(store, &EventQuery::within(some(&["a"])), &[3, 2]).await;
    assert_finds(store, &EventQuery::within(some(&["a", "default"])), &[5, 3, 2]).await;
    assert_finds(store, &EventQuery::within(some(&["nope"])), &[]).await;
    assert_finds(store, &EventQuery::within(some(&[])), &[]).await;
    // The scope and the filter must both match, possibly by different projects.
    let both = |scope, ids| EventQuery { projects: projects(ids), ..EventQuery::within(scope) };
    assert_finds(store, &both(some(&["a"]), &["b"]), &[3]).await;
    assert_finds(store, &both(some(&["A", "a"]), &["gone"]), &[]).await;
    assert_finds(store, &both(some(&["default"]), &["b"]), &[5]).await;
    assert_finds(store, &both(EventScope::AnyProject, &["a"]), &[3, 2]).await;
    assert_finds(store, &both(some(&[]), &["a"]), &[]).await;
}

/// Events of a deleted project are still found by its id.
pub async fn events_of_a_deleted_project_are_found(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    store.delete_project(&project_removal("a")).await.expect("removed");
    assert_finds(store, &EventQuery { projects: projects(&["a"]), ..all_events_query() }, &[1, 0]).await;
}

/// An event must match every filter.
pub async fn event_filters_are_combined(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let matching = || NewEvent {
        projects: Some(only(&["b", "a"])),
        at: moment(5),
        actor: Actor::System,
        ..event(ApiTokenDeleted)
    };
    let misses = [
        matching(),
        NewEvent { kind: ApiTokenCreated, ..matching() },
        NewEvent { actor: Actor::AdminToken { name: "ci".to_owned() }, ..matching() },
        NewEvent { projects: Some(only(&["b"])), ..matching() },
        NewEvent { projects: Some(ProjectScope::All), ..matching() },
        NewEvent { at: moment(4), ..matching() },
        NewEvent { at: moment(6), ..matching() },
        matching(),
    ];
    store_events(store, misses).await;
    let scope = EventScope::Projects(projects(&["a", "z"]).into_iter().collect());
    let query = EventQuery {
        kinds: vec![ApiTokenDeleted, ProjectCreated],
        projects: projects(&["b", "y"]),
        actors: vec![-1337, 7],
        from: Some(moment(5)),
        before: Some(moment(6)),
        ..EventQuery::within(scope)
    };
    assert_finds(store, &query, &[7, 0]).await;
    assert_finds(store, &EventQuery { kinds: vec![], ..query.clone() }, &[7, 1, 0]).await;
    assert_finds(store, &EventQuery { actors: vec![], ..query.clone() }, &[7, 2, 0]).await;
    assert_finds(store, &EventQuery { scope: EventScope::All, ..query.clone() }, &[7, 3, 0]).await;
    assert_finds(store, &EventQuery { from: None, ..query.clone() }, &[7, 5, 0]).await;
    assert_finds(store, &EventQuery { before: None, ..query }, &[7, 6, 0]).await;
}

/// Text is found in the state before and after, in any case of ASCII letters, together with the other filters.
pub async fn events_are_found_by_text(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let described = |text: &str| {
        let description = ProjectDescription::new(text).expect("a description");
        Project { description, ..project("a") }
    };
    let after = |kind, text| event(kind).with_after(&described(text));
    let records = [
        after(UserCreated, "The \"Web\" shop\nSELLS"),
        event(UserCreated).with_before(&described("the web shop, ÄÖ 100%")),
        after(ApiTokenCreated, "a\\b"),
        event(UserCreated),
        after(ApiTokenCreated, "the web shop"),
    ];
    store_events(store, records).await;
    let with_text = |text: &str| EventQuery { text: Some(text.to_owned()), ..all_events_query() };
    for (text, expected) in [
        ("THE WEB", &[4, 1][..]),
        ("the \"web\"", &[0]),
        ("shop\nsells", &[0]),
        ("a\\b", &[2]),
        ("ÄÖ", &[1]),
        ("100%", &[1]),
        ("1_0%", &[]),
        ("nowhere", &[]),
        ("a\0b", &[]),
    ] {
        assert_finds(store, &with_text(text), expected).await;
    }
    let query = EventQuery { kinds: vec![ApiTokenCreated], ..with_text("web") };
    assert_finds(store, &query, &[4]).await;
    let page = EventQuery { page: Page { limit: Some(1), offset: 1 }, ..with_text("web") };
    let page = store.events(&page).await.expect("events");
    assert_eq!((page.events.len(), page.total), (1, 3));
}

/// No event is missing or repeated across pages, and each page has the total.
pub async fn event_searches_are_paged_with_a_total(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let kinds = (0..23).map(|number| event(if number % 2 == 0 { UserCreated } else { ApiTokenCreated }));
    store_events(store, kinds).await;
    let scope = EventScope::Projects(projects(&["default", "b"]).into_iter().collect());
    let query = EventQuery { kinds: vec![UserCreated], ..EventQuery::within(scope) };
    let all = store.events(&query).await.expect("events");
    assert_eq!((all.events.len(), all.total), (12, 12));
    for size in [1, 5, 12, 13, u32::MAX] {
        let mut read = Vec::new();
        loop {
            let page = Page { limit: Some(size), offset: u64::try_from(read.len()).expect("small") };
            let page = store.events(&EventQuery { page, ..query.clone() }).await.expect("events");
            assert_eq!(page.total, 12);
            assert!(page.events.len() <= usize::try_from(size).expect("64 bits"));
            if page.events.is_empty() {
                break;
            }
            read.extend(page.events);
        }
        assert_eq!(read, all.events, "in pages of {size}");
    }
    for (limit, offset, remaining) in [(None, 7, 5), (Some(0), 0, 0), (None, 12, 0), (Some(5), u64::MAX, 0)] {
        let page = EventQuery { page: Page { limit, offset }, ..query.clone() };
        let page = store.events(&page).await.expect("events");
        assert_eq!((page.events.len(), page.total), (remaining, 12), "{limit:?} from {offset}");
    }
}

/// Events beyond the cap are not counted but can be read.
pub async fn event_totals_are_capped(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let cap = EventQuery::MAX_COUNTED;
    let tokens: Vec<_> = (0..cap + 2).map(|number| new_token(admin_token(number))).collect();
    assert!(store.create_first_tokens(&tokens).await.expect("stored"));
    let total = async |query: EventQuery| {
        let page = Page { limit: Some(1), offset: cap + 1 };
        let page = store.events(&EventQuery { page, ..query }).await.expect("events");
        (page.total, page.events.len())
    };
    assert_eq!(total(all_events_query()).await, (cap, 1));
    assert_eq!(total(EventQuery { kinds: vec![ApiTokenCreated], ..all_events_query() }).await, (cap, 1));
    assert_eq!(total(EventQuery { kinds: vec![UserCreated], ..all_events_query() }).await, (0, 0));
}

/// Sealed events older than the given time are forgotten. The others keep their ids, and no event is recorded.
pub async fn old_events_are_forgotten(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for at in [5, 5, 6, 9, 1] {
        let record = event(UserCreated);
        store_events(store, [NewEvent { at: moment(at), projects: Some(only(&["a", "b"])), ..record }]).await;
        seal_events(store).await;
    }
    let events = all_events(store).await;
    assert_eq!(store.forget_events(moment(5)).await.expect("forgotten"), 0);
    assert_eq!(all_events(store).await, events);
    assert_eq!(store.forget_events(moment(6)).await.expect("forgotten"), 2);
    let remaining = [events[2].clone(), events[3].clone(), events[4].clone()];
    assert_eq!(all_events(store).await, remaining);
    assert_finds(store, &EventQuery { projects: projects(&["b"]), ..all_events_query() }, &[2, 1, 0]).await;
    assert_eq!(store.forget_events(moment(6)).await.expect("forgotten"), 0);
    store_events(store, [NewEvent { at: moment(3), ..event(ApiTokenCreated) }]).await;
    seal_events(store).await;
    assert_eq!(store.forget_events(moment(10)).await.expect("forgotten"), 3);
    assert_eq!(all_events(store).await.len(), 1);
    store_events(store, [event(UserCreated)]).await;
    assert!(all_events(store).await[1].id > events[4].id, "event ids must keep rising");
}

/// The newest event is kept, so that followers see how far the log goes. An empty log stays empty.
pub async fn the_newest_event_is_never_forgotten(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [first, .., last] = extreme_moments();
    assert_eq!(store.forget_events(last).await.expect("forgotten"), 0);
    store_events(store, [moment(9), moment(8), first].map(|at| NewEvent { at, ..event(UserCreated) })).await;
    seal_events(store).await;
    let newest = latest_event(store).await;
    for expected in [2, 0] {
        assert_eq!(store.forget_events(last).await.expect("forgotten"), expected);
        assert_eq!(latest_event(store).await, newest);
        let remaining: Vec<_> = all_events(store).await.iter().map(|event| event.id).collect();
        assert_eq!(remaining, [newest]);
    }
    store_events(store, [event(UserCreated)]).await;
    assert!(latest_event(store).await > newest);
}
