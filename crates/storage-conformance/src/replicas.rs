//! The processes that serve the store, as they report themselves.

use std::{slice::from_ref, sync::Arc, time::Duration};

use latchkey_ports::{Replica, ReplicaId, Store};
use uuid::Uuid;

use crate::{
    harness::{all_events, run_concurrently},
    samples::{extreme_moments, moment},
};

/// In milliseconds.
const GONE_AFTER: i64 = 60_000;

/// A replica that started at the time of its number, and was seen at this one.
fn replica(number: u64, seen_at: i64) -> Replica {
    Replica {
        id: ReplicaId(Uuid::from_u64_pair(number, u64::MAX - number)),
        host: format!("node-{number}"),
        address: format!("10.0.0.{number}:4242"),
        version: "1.2.3".to_owned(),
        started_at: moment(i64::try_from(number).expect("small")),
        seen_at: moment(seen_at),
        feed_age: Some(Duration::from_millis(number)),
    }
}

async fn report(store: &dyn Store, replica: &Replica) {
    store.report_replica(replica).await.expect("reported");
}

async fn listed(store: &dyn Store, at: i64) -> Vec<Replica> {
    store.replicas(moment(at)).await.expect("listed")
}

/// Replicas are listed by their start, each by its last report alone, and no event tells of them.
pub async fn the_last_report_of_each_replica_is_listed(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let events = all_events(store).await.len();
    assert_eq!(listed(store, 0).await, []);
    let (one, two) = (replica(1, 100), replica(2, 200));
    report(store, &two).await;
    report(store, &one).await;
    assert_eq!(listed(store, 200).await, [one.clone(), two.clone()]);
    for feed_age in [None, Some(Duration::ZERO), Some(Duration::from_millis(u64::from(u32::MAX) * 1_000))] {
        let again = Replica { seen_at: moment(300), feed_age, ..one.clone() };
        report(store, &again).await;
        assert_eq!(listed(store, 300).await, [again, two.clone()]);
    }
    // Of the same start, by id.
    let same = Replica { started_at: two.started_at, ..replica(3, 300) };
    report(store, &same).await;
    let ids: Vec<_> = listed(store, 300).await.into_iter().map(|replica| replica.id).collect();
    assert_eq!(ids, [one.id, two.id, same.id]);
    assert_eq!(all_events(store).await.len(), events);
}

/// Texts and times are kept as they are.
pub async fn what_a_replica_says_is_kept(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let said = Replica {
        host: "knoten-ä \"1\" \u{1F511}".to_owned(),
        address: "unix:/run/latch key.sock".to_owned(),
        version: String::new(),
        ..replica(1, 0)
    };
    report(store, &said).await;
    assert_eq!(listed(store, 0).await, [said]);
    for seen_at in extreme_moments() {
        let extreme = Replica { started_at: seen_at, seen_at, ..replica(2, 0) };
        report(store, &extreme).await;
        assert!(store.replicas(seen_at).await.expect("listed").contains(&extreme), "{seen_at}");
    }
}

/// A replica that has not reported itself for a while is left out, as is one whose clock is far ahead.
pub async fn what_was_not_seen_lately_is_left_out(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let one = replica(1, GONE_AFTER);
    report(store, &one).await;
    for (at, is_listed) in
        [(-1, false), (0, true), (GONE_AFTER, true), (2 * GONE_AFTER, true), (2 * GONE_AFTER + 1, false)]
    {
        assert_eq!(listed(store, at).await.contains(&one), is_listed, "{at}");
    }
}

/// The next report deletes what it would not count, and nothing else.
pub async fn the_next_report_deletes_what_was_not_seen_lately(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (gone, ahead, edge, later) =
        (replica(1, 0), replica(2, 2 * GONE_AFTER + 2), replica(3, 1), replica(4, GONE_AFTER + 1));
    for replica in [&gone, &edge] {
        report(store, replica).await;
    }
    // Counts for neither of the two, and so they do not count for it.
    report(store, &ahead).await;
    assert_eq!(listed(store, 1).await, []);
    for replica in [&gone, &edge, &later] {
        report(store, replica).await;
    }
    assert_eq!(listed(store, 0).await, from_ref(&edge), "the first was deleted, the last is not there yet");
    assert_eq!(listed(store, GONE_AFTER + 1).await, [edge, later]);
    assert_eq!(listed(store, 2 * GONE_AFTER + 2).await, [], "the one that is ahead was deleted");
}

/// A replica that leaves is not listed any more; the others are. One that is not there can leave too.
pub async fn a_replica_that_leaves_is_forgotten(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (one, two) = (replica(1, 0), replica(2, 0));
    for replica in [&one, &two] {
        report(store, replica).await;
    }
    for _ in 0..2 {
        store.forget_replica(one.id).await.expect("forgotten");
        assert_eq!(listed(store, 0).await, from_ref(&two));
    }
    report(store, &one).await;
    assert_eq!(listed(store, 0).await, [one, two]);
}

/// Replicas whose clocks are so far apart that they delete each other's reports do not keep each other from reporting.
pub async fn replicas_report_at_once(store: &Arc<dyn Store>) {
    const REPLICAS: u64 = 8;
    let calls = (1..=REPLICAS).map(|number| {
        let store = Arc::clone(store);
        async move {
            let clock = if number % 2 == 0 { 0 } else { 10 * GONE_AFTER };
            for round in 0..20 {
                report(store.as_ref(), &replica(number, clock + round)).await;
            }
        }
    });
    run_concurrently(calls).await;
    for number in 1..=REPLICAS {
        report(store.as_ref(), &replica(number, 100)).await;
    }
    assert_eq!(listed(store.as_ref(), 100).await.len(), usize::try_from(REPLICAS).expect("small"));
}
