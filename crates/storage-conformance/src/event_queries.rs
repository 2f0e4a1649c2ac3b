//! The audit trail, asked for what one wants to know, and how it is shortened.

use std::sync::Arc;

use latchkey_domain::{
    Actor, Event, EventId, EventKind, NewEvent, ProjectId, ProjectScope, Timestamp, UserId,
};
use latchkey_ports::{EventQuery, EventScope, Page, Store};

use crate::{
    given,
    observed::all_events,
    samples::{
        admin_token, event, extreme_moments, first_token, moment, only, project, project_id, project_removal,
    },
};

use EventKind::{ApiTokenCreated, ApiTokenDeleted, ProjectCreated, UserCreated};

/// Keeps these events, by way of creations of projects, since a store does not ask whether they fit.
async fn kept(store: &dyn Store, records: impl IntoIterator<Item = NewEvent>) {
    for record in records {
        let EventId(number) = store.latest_event().await.expect("a number");
        let project = project(&format!("kept-by-{number}"));
        store.create_project(&project, &[], None, &record).await.expect("created");
    }
}

fn all() -> EventQuery {
    EventQuery::within(EventScope::All)
}

fn projects(ids: &[&str]) -> Vec<ProjectId> {
    ids.iter().map(|id| project_id(id)).collect()
}

/// Asks, and expects the events at these places of the trail (from 0 on), in this order, and that many in all.
async fn finds(store: &dyn Store, query: &EventQuery, expected: &[usize]) {
    let trail = all_events(store).await;
    let page = store.events(query).await.expect("events");
    let expected: Vec<Event> = expected.iter().map(|index| trail[*index].clone()).collect();
    assert_eq!(page.events, expected, "{query:?}");
    assert_eq!(page.total, u64::try_from(expected.len()).expect("few"), "{query:?}");
}

/// Events are whole, and the newest is the first, whatever their moments.
pub async fn the_newest_first(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    finds(store, &all(), &[]).await;
    let moments = [5, 9, 1, 5].map(|at| NewEvent { at: moment(at), ..event(UserCreated) });
    kept(store, moments).await;
    finds(store, &all(), &[3, 2, 1, 0]).await;
}

/// By kind: any of those asked for; all kinds are told apart.
pub async fn by_kind(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    kept(store, EventKind::ALL.iter().map(|kind| event(*kind))).await;
    let last = EventKind::ALL.len() - 1;
    for (index, kind) in EventKind::ALL.iter().enumerate() {
        finds(store, &EventQuery { kinds: vec![*kind], ..all() }, &[index]).await;
    }
    let ends = vec![EventKind::ALL[0], EventKind::ALL[last], EventKind::ALL[0]];
    finds(store, &EventQuery { kinds: ends, ..all() }, &[last, 0]).await;
    let everything: Vec<_> = (0..=last).rev().collect();
    finds(store, &EventQuery { kinds: EventKind::ALL.to_vec(), ..all() }, &everything).await;
    finds(store, &EventQuery { kinds: vec![], ..all() }, &everything).await;
}

/// By actor: users, admin tokens (one number for all of them) and Latchkey itself.
pub async fn by_actor(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = |id| Actor::User { id: UserId(id), name: "ed".to_owned() };
    let token = |name: &str| Actor::AdminToken { name: name.to_owned() };
    let actors = [ed(1), token("a"), Actor::System, ed(2), token("b"), ed(1), ed(i64::MAX)];
    kept(store, actors.into_iter().map(|actor| NewEvent { actor, ..event(UserCreated) })).await;
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
        finds(store, &EventQuery { actors: actors.to_vec(), ..all() }, expected).await;
    }
}

/// By time: from a moment on, and before another.
pub async fn by_time(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [first, .., last] = extreme_moments();
    let moments = [moment(5), moment(6), first, moment(5), last, moment(7)];
    kept(store, moments.map(|at| NewEvent { at, ..event(UserCreated) })).await;
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
        finds(store, &EventQuery { from, before, ..all() }, expected).await;
    }
}

/// Events that concern no project, all of them, and some.
async fn of_all_places(store: &dyn Store) {
    let scopes = [
        None,
        Some(ProjectScope::All),
        Some(only(&["a"])),
        Some(only(&["b", "a"])),
        Some(only(&["A"])),
        Some(only(&["gone", "b", "default"])),
    ];
    kept(store, scopes.into_iter().map(|projects| NewEvent { projects, ..event(ApiTokenCreated) })).await;
}

/// By project: those that concern any of them by name, whether it is there (any more) or not; what concerns several comes
/// once, and what concerns all of them by no name comes not.
pub async fn by_project(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    of_all_places(store).await;
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
        finds(store, &EventQuery { projects: projects(ids), ..all() }, expected).await;
    }
}

/// By reach: everything; what concerns any project, or all; or what concerns these by name. Of none, nothing.
pub async fn by_reach(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    of_all_places(store).await;
    let some = |ids| EventScope::Projects(projects(ids).into_iter().collect());
    finds(store, &all(), &[5, 4, 3, 2, 1, 0]).await;
    finds(store, &EventQuery::within(EventScope::AnyProject), &[5, 4, 3, 2, 1]).await;
    finds(store, &EventQuery::within(some(&["a"])), &[3, 2]).await;
    finds(store, &EventQuery::within(some(&["a", "default"])), &[5, 3, 2]).await;
    finds(store, &EventQuery::within(some(&["nope"])), &[]).await;
    finds(store, &EventQuery::within(some(&[])), &[]).await;
    // Reach and filter have both to be met, each by whichever project.
    let both = |reach, ids| EventQuery { projects: projects(ids), ..EventQuery::within(reach) };
    finds(store, &both(some(&["a"]), &["b"]), &[3]).await;
    finds(store, &both(some(&["A", "a"]), &["gone"]), &[]).await;
    finds(store, &both(some(&["default"]), &["b"]), &[5]).await;
    finds(store, &both(EventScope::AnyProject, &["a"]), &[3, 2]).await;
    finds(store, &both(some(&[]), &["a"]), &[]).await;
}

/// What concerned a project that is gone is found under it still.
pub async fn a_removed_project_has_its_trail(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a"]).await;
    store.delete_project(&project_removal("a")).await.expect("removed");
    finds(store, &EventQuery { projects: projects(&["a"]), ..all() }, &[1, 0]).await;
}

/// Every filter that is there has to be met.
pub async fn by_everything_at_once(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let fitting = || NewEvent {
        projects: Some(only(&["b", "a"])),
        at: moment(5),
        actor: Actor::System,
        ..event(ApiTokenDeleted)
    };
    let misses = [
        fitting(),
        NewEvent { kind: ApiTokenCreated, ..fitting() },
        NewEvent { actor: Actor::AdminToken { name: "ci".to_owned() }, ..fitting() },
        NewEvent { projects: Some(only(&["b"])), ..fitting() },
        NewEvent { projects: Some(ProjectScope::All), ..fitting() },
        NewEvent { at: moment(4), ..fitting() },
        NewEvent { at: moment(6), ..fitting() },
        fitting(),
    ];
    kept(store, misses).await;
    let reach = EventScope::Projects(projects(&["a", "z"]).into_iter().collect());
    let query = EventQuery {
        kinds: vec![ApiTokenDeleted, ProjectCreated],
        projects: projects(&["b", "y"]),
        actors: vec![-1337, 7],
        from: Some(moment(5)),
        before: Some(moment(6)),
        ..EventQuery::within(reach)
    };
    finds(store, &query, &[7, 0]).await;
    finds(store, &EventQuery { kinds: vec![], ..query.clone() }, &[7, 1, 0]).await;
    finds(store, &EventQuery { actors: vec![], ..query.clone() }, &[7, 2, 0]).await;
    finds(store, &EventQuery { reach: EventScope::All, ..query.clone() }, &[7, 3, 0]).await;
    finds(store, &EventQuery { from: None, ..query.clone() }, &[7, 5, 0]).await;
    finds(store, &EventQuery { before: None, ..query }, &[7, 6, 0]).await;
}

/// Page by page, nothing is missed and nothing comes twice; each page says how many there are on all of them.
pub async fn pages(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let kinds = (0..23).map(|number| event(if number % 2 == 0 { UserCreated } else { ApiTokenCreated }));
    kept(store, kinds).await;
    let reach = EventScope::Projects(projects(&["default", "b"]).into_iter().collect());
    let query = EventQuery { kinds: vec![UserCreated], ..EventQuery::within(reach) };
    let whole = store.events(&query).await.expect("events");
    assert_eq!((whole.events.len(), whole.total), (12, 12));
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
        assert_eq!(read, whole.events, "in pages of {size}");
    }
    for (limit, offset, left) in [(None, 7, 5), (Some(0), 0, 0), (None, 12, 0), (Some(5), u64::MAX, 0)] {
        let page = EventQuery { page: Page { limit, offset }, ..query.clone() };
        let page = store.events(&page).await.expect("events");
        assert_eq!((page.events.len(), page.total), (left, 12), "{limit:?} from {offset}");
    }
}

/// More than so many are not counted, and can be read all the same.
pub async fn counting_ends(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let most = EventQuery::MAX_COUNTED;
    let tokens: Vec<_> = (0..most + 2).map(|number| first_token(admin_token(number))).collect();
    assert!(store.create_first_tokens(&tokens).await.expect("kept"));
    let total = async |query: EventQuery| {
        let page = Page { limit: Some(1), offset: most + 1 };
        let page = store.events(&EventQuery { page, ..query }).await.expect("events");
        (page.total, page.events.len())
    };
    assert_eq!(total(all()).await, (most, 1));
    assert_eq!(total(EventQuery { kinds: vec![ApiTokenCreated], ..all() }).await, (most, 1));
    assert_eq!(total(EventQuery { kinds: vec![UserCreated], ..all() }).await, (0, 0));
}

/// What is older than that moment is forgotten, by its own moment, and what it says is not found any more; the rest keeps
/// its numbers, and no event is left.
pub async fn old_events_are_forgotten(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let moments = [5, 9, 1, 6, 5].map(|at| NewEvent {
        at: moment(at),
        projects: Some(only(&["a", "b"])),
        ..event(UserCreated)
    });
    kept(store, moments).await;
    let trail = all_events(store).await;
    assert_eq!(store.forget_events(moment(1)).await.expect("forgotten"), 0);
    assert_eq!(all_events(store).await, trail);
    assert_eq!(store.forget_events(moment(6)).await.expect("forgotten"), 2);
    let left = [trail[1].clone(), trail[3].clone(), trail[4].clone()];
    assert_eq!(all_events(store).await, left, "the newest stays, old as it is");
    finds(store, &EventQuery { projects: projects(&["b"]), ..all() }, &[2, 1, 0]).await;
    assert_eq!(store.forget_events(moment(6)).await.expect("forgotten"), 0);
    kept(store, [NewEvent { at: moment(3), ..event(ApiTokenCreated) }]).await;
    assert_eq!(store.forget_events(moment(10)).await.expect("forgotten"), 3);
    assert_eq!(all_events(store).await.len(), 1);
    kept(store, [event(UserCreated)]).await;
    assert!(all_events(store).await[1].id > trail[4].id, "numbers rise on");
}

/// The newest is never forgotten, so that whoever follows the trail sees how far it goes; where there is none, none goes.
pub async fn the_newest_stays(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [first, .., last] = extreme_moments();
    assert_eq!(store.forget_events(last).await.expect("forgotten"), 0);
    kept(store, [moment(9), moment(8), first].map(|at| NewEvent { at, ..event(UserCreated) })).await;
    let newest = store.latest_event().await.expect("a number");
    for expected in [2, 0] {
        assert_eq!(store.forget_events(last).await.expect("forgotten"), expected);
        assert_eq!(store.latest_event().await.expect("a number"), newest);
        let left: Vec<_> = all_events(store).await.iter().map(|event| event.id).collect();
        assert_eq!(left, [newest]);
    }
    kept(store, [event(UserCreated)]).await;
    assert!(store.latest_event().await.expect("a number") > newest);
}
