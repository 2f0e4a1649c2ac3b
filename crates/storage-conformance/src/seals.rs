//! Seals of events, and the retention by whole seals.

use std::sync::Arc;

use latchkey_domain::{EventId, EventKind, NewEvent};
use latchkey_ports::{EventSeal, Store};
use tokio::task::JoinSet;

use crate::{
    event_log::{latest_event, seal_events},
    harness::all_events,
    samples::{event, extreme_moments, moment, project},
    setup,
};

/// Records events at these times.
async fn record(store: &dyn Store, times: &[i64]) {
    for at in times {
        let EventId(number) = latest_event(store).await;
        let record = NewEvent { at: moment(*at), ..event(EventKind::UserCreated) };
        let project = project(&format!("recorded-by-{number}"));
        store.create_project(&project, &[], None, &record).await.expect("created");
    }
}

/// Seals are read as they were added, each after the one before it.
pub async fn seals_are_added_one_after_another(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    assert_eq!(store.newest_seal().await.expect("none"), None);
    assert_eq!(store.seals_after(EventId(0), 10).await.expect("none"), []);
    let mut seals = Vec::new();
    for times in [&[1, 5, 2][..], &[3], &[9, 4]] {
        record(store, times).await;
        seals.push(seal_events(store).await);
        assert_eq!(store.newest_seal().await.expect("a seal").as_ref(), seals.last());
    }
    assert_eq!(seals.iter().map(|seal| seal.events).collect::<Vec<_>>(), [3, 1, 2]);
    assert_eq!(seals[0].newest_at, moment(5));
    assert_eq!(store.seals_after(EventId(0), 10).await.expect("seals"), seals);
    assert_eq!(store.seals_after(EventId(0), 2).await.expect("seals"), seals[..2]);
    assert_eq!(store.seals_after(seals[0].last, 10).await.expect("seals"), seals[1..]);
    assert_eq!(store.seals_after(seals[2].last, 10).await.expect("seals"), []);
}

/// The extreme values come back.
pub async fn a_seal_is_kept_as_it_is(store: &Arc<dyn Store>) {
    let [first, .., last] = extreme_moments();
    let store = store.as_ref();
    record(store, &[1]).await;
    let seal = seal_events(store).await;
    let next = EventSeal { previous: seal.last, last: EventId(i64::MAX - 1), newest_at: first, ..seal };
    assert!(store.add_seal(&next).await.expect("added"));
    let end = EventSeal { previous: next.last, last: EventId(i64::MAX), newest_at: last, ..next.clone() };
    assert!(store.add_seal(&end).await.expect("added"));
    assert_eq!(store.seals_after(seal.last, 10).await.expect("seals"), [next, end]);
}

/// A seal that does not go on from the newest one is not added.
pub async fn a_chain_does_not_fork(store: &Arc<dyn Store>) {
    let shared = store;
    let store = store.as_ref();
    record(store, &[1]).await;
    let first = seal_events(store).await;
    record(store, &[2]).await;
    let second = seal_events(store).await;
    for previous in [EventId(0), first.last, EventId(second.last.0 + 1)] {
        let late = EventSeal { previous, last: EventId(second.last.0 + 5), ..second.clone() };
        assert!(!store.add_seal(&late).await.expect("refused"), "{previous:?}");
    }
    let mut processes = JoinSet::new();
    for number in 0..8 {
        let store = Arc::clone(shared);
        let next =
            EventSeal { previous: second.last, last: EventId(second.last.0 + 1 + number), ..second.clone() };
        processes.spawn(async move { store.add_seal(&next).await.expect("answered") });
    }
    let added = processes.join_all().await.into_iter().filter(|added| *added).count();
    assert_eq!((added, store.seals_after(EventId(0), 10).await.expect("seals").len()), (1, 3));
}

/// The oldest seals go with their events, each whole, and the last of them stays as the one from which the chain goes on.
pub async fn events_are_forgotten_by_whole_seals(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut seals = Vec::new();
    for times in [&[1, 3, 2][..], &[9, 4], &[5], &[6]] {
        record(store, times).await;
        seals.push(seal_events(store).await);
    }
    record(store, &[1]).await;
    let events = all_events(store).await;
    let left = async || {
        let seals = store.seals_after(EventId(0), 10).await.expect("seals");
        (all_events(store).await, seals)
    };
    for early in [1, 2, 3] {
        assert_eq!(
            store.forget_events(moment(early)).await.expect("forgotten"),
            0,
            "an event at 3 is younger"
        );
    }
    assert_eq!(store.forget_events(moment(4)).await.expect("forgotten"), 3);
    assert_eq!(left().await, (events[3..].to_vec(), seals.clone()), "the seal stays");
    assert_eq!(store.forget_events(moment(9)).await.expect("forgotten"), 0, "the second has an event at 9");
    assert_eq!(store.forget_events(moment(10)).await.expect("forgotten"), 4);
    assert_eq!(left().await, (events[7..].to_vec(), seals[3..].to_vec()), "what is not sealed stays");
    assert_eq!(store.forget_events(moment(100)).await.expect("forgotten"), 0);
    seals.push(seal_events(store).await);
    assert_eq!(store.forget_events(moment(100)).await.expect("forgotten"), 0, "the newest event stays");
    assert_eq!(left().await, (events[7..].to_vec(), seals[4..].to_vec()));
    setup::projects(store, &["a"]).await;
    assert_eq!(store.forget_events(moment(100)).await.expect("forgotten"), 1);
}
