//! Deliveries of events to webhooks: each is made once, claimed by one process at a time, and in the order of its lane.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use latchkey_domain::{
    DeliveryId, DeliveryState, EventConsumer, EventId, EventKind, Timestamp, Webhook, WebhookTarget,
};
use latchkey_ports::{Attempt, Claim, Delivery, DeliveryOutcome, DeliveryQuery, Entity, NewDelivery, Store};

use crate::{
    harness::{ErrorKind, error_kind, run_concurrently},
    sample_webhooks::{delivery, lane, step, webhook_event, webhook_id},
    samples::{extreme_moments, moment},
    webhooks::add,
};

const NONE: [i64; 0] = [];

fn claiming(now: Timestamp, limit: u32) -> Claim {
    Claim { now, until: now.plus(Duration::from_secs(60)).expect("in range"), limit, except: Vec::new() }
}

fn ended(delivery: &Delivery, outcome: DeliveryOutcome, ended_at: Timestamp) -> Attempt {
    Attempt {
        delivery: delivery.id,
        number: delivery.attempts,
        outcome,
        ended_at,
        status: Some(599),
        duration: Duration::from_millis(1_234),
        error: Some("the receiver answered 599".to_owned()),
    }
}

/// Returns the events of deliveries that are claimed at a moment, in order.
fn claimed<'s>(store: &'s dyn Store, claim: &Claim) -> impl Future<Output = Vec<i64>> + Send + 's {
    let claim = claim.clone();
    async move {
        let claimed = store.claim_deliveries(&claim).await.expect("claimed");
        let mut events: Vec<_> = claimed.iter().map(|delivery| delivery.id.event.0).collect();
        events.sort_unstable();
        events
    }
}

fn listed(
    store: &dyn Store,
    state: Option<DeliveryState>,
    below: Option<i64>,
    limit: u32,
) -> impl Future<Output = Vec<Delivery>> + Send + '_ {
    let query = DeliveryQuery { webhook: webhook_id(1), state, below: below.map(EventId), limit };
    async move { store.deliveries(&query).await.expect("deliveries") }
}

/// The position of a consumer moves from where it is alone, with what comes of the move.
pub async fn a_consumer_moves_from_where_it_is(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    add(store, 1).await;
    let position = async || store.consumed(EventConsumer::Webhooks).await.expect("a position").0;
    assert_eq!(position().await, 0);
    let enqueue = async |from, to, deliveries: &[NewDelivery]| {
        store.enqueue_deliveries(step(from, to), deliveries, moment(0)).await.expect("compared")
    };
    assert!(!enqueue(5, 9, &[delivery(1, 9, None)]).await, "it is at 0");
    assert_eq!((position().await, listed(store, None, None, 9).await.len()), (0, 0));
    assert!(enqueue(0, 5, &[delivery(1, 5, None)]).await);
    assert!(!enqueue(0, 5, &[delivery(1, 5, None)]).await && !enqueue(0, 6, &[delivery(1, 6, None)]).await);
    assert!(enqueue(5, 7, &[]).await);
    assert_eq!((position().await, listed(store, None, None, 9).await.len()), (7, 1));
}

/// Of concurrent moves from one position, one is made.
pub async fn one_of_concurrent_moves_is_made(store: &Arc<dyn Store>) {
    add(store.as_ref(), 1).await;
    for round in 0..5 {
        let moves = (0..12).map(|_| {
            let store = Arc::clone(store);
            async move {
                let deliveries = [delivery(1, round + 1, Some(lane(1)))];
                store.enqueue_deliveries(step(round, round + 1), &deliveries, moment(0)).await
            }
        });
        let made = run_concurrently(moves).await;
        assert_eq!(made.into_iter().filter(|made| *made.as_ref().expect("compared")).count(), 1);
    }
    assert_eq!(listed(store.as_ref(), None, None, 100).await.len(), 5);
}

/// A delivery is read back as it was made, and what becomes of it too.
pub async fn deliveries_are_read_back(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    add(store, 1).await;
    let mut body = delivery(1, 3, None);
    body.body = "x".repeat(300_000);
    let all = [delivery(1, 1, Some(lane(1))), delivery(1, 2, Some(lane(1))), body];
    let [first, last] = [extreme_moments()[0], extreme_moments()[4]];
    store.enqueue_deliveries(step(0, 3), &all, first).await.expect("made");
    let expected = |new: &NewDelivery, next_at| Delivery {
        id: new.id,
        kind: new.kind,
        at: new.at,
        lane: new.lane,
        body: new.body.clone(),
        state: DeliveryState::Waiting,
        attempts: 0,
        next_at,
        began_at: first,
        ended_at: None,
        status: None,
        duration: None,
        error: None,
    };
    let [one, two, three] =
        [expected(&all[0], Some(first)), expected(&all[1], None), expected(&all[2], Some(first))];
    assert_eq!(listed(store, None, None, 9).await, [three.clone(), two.clone(), one.clone()]);

    let claim = Claim { now: first, until: last, limit: 9, except: Vec::new() };
    let mut claimed = store.claim_deliveries(&claim).await.expect("claimed");
    claimed.sort_by_key(|delivery| delivery.id);
    let of = |delivery: &Delivery| Delivery { attempts: 1, next_at: Some(last), ..delivery.clone() };
    assert_eq!(claimed, [of(&one), of(&three)]);
    let outcome = ended(&claimed[0], DeliveryOutcome::Retry(moment(5)), moment(4));
    assert!(store.end_attempt(&outcome).await.expect("recorded"));
    let silent = Attempt { status: None, error: None, ..ended(&claimed[1], DeliveryOutcome::Failed, last) };
    assert!(store.end_attempt(&silent).await.expect("recorded"));
    let tried = Delivery {
        attempts: 1,
        next_at: Some(moment(5)),
        status: outcome.status,
        duration: Some(outcome.duration),
        error: outcome.error,
        ..one
    };
    let failed = Delivery {
        attempts: 1,
        state: DeliveryState::Failed,
        next_at: None,
        ended_at: Some(last),
        duration: Some(silent.duration),
        ..three
    };
    assert_eq!(listed(store, None, None, 9).await, [failed.clone(), two, tried.clone()]);
    // An attempt that succeeds leaves no error.
    let again = store.claim_deliveries(&claiming(moment(6), 9)).await.expect("claimed");
    let success =
        Attempt { status: Some(204), error: None, ..ended(&again[0], DeliveryOutcome::Delivered, moment(7)) };
    assert!(store.end_attempt(&success).await.expect("recorded"));
    let delivered = listed(store, Some(DeliveryState::Delivered), None, 9).await;
    assert_eq!(delivered[0].error, None);
    assert_eq!((delivered[0].status, delivered[0].ended_at), (Some(204), Some(moment(7))));
}

/// Lists are filtered by state, and read in pages, newest event first.
pub async fn deliveries_are_listed_in_pages(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    add(store, 1).await;
    add(store, 2).await;
    let all: Vec<_> =
        (1..=5).flat_map(|event| [delivery(1, event, None), delivery(2, event, None)]).collect();
    store.enqueue_deliveries(step(0, 5), &all, moment(0)).await.expect("made");
    for delivery in store.claim_deliveries(&claiming(moment(0), 20)).await.expect("claimed") {
        if delivery.id.event.0 % 2 == 0 {
            store.end_attempt(&ended(&delivery, DeliveryOutcome::Failed, moment(1))).await.expect("recorded");
        }
    }
    let events = async |state, below, limit| {
        let listed = listed(store, state, below, limit).await;
        listed.iter().map(|delivery| delivery.id.event.0).collect::<Vec<_>>()
    };
    assert_eq!(events(None, None, 2).await, [5, 4]);
    assert_eq!(events(None, Some(4), 2).await, [3, 2]);
    assert_eq!(events(None, Some(1), 2).await, NONE);
    assert_eq!(events(Some(DeliveryState::Failed), None, 9).await, [4, 2]);
    assert_eq!(events(Some(DeliveryState::Waiting), Some(5), 9).await, [3, 1]);
    assert_eq!(events(Some(DeliveryState::Delivered), None, 9).await, NONE);
    assert_eq!(store.count_waiting_deliveries().await.expect("counted"), 6);
}

/// What is due is claimed, what has waited longest first, and not again until the claim has run out.
pub async fn due_deliveries_are_claimed_for_a_while(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    add(store, 1).await;
    add(store, 2).await;
    for (event, due) in [(1, 30), (2, 10), (3, 20), (4, 40)] {
        let deliveries = [delivery(1 + u64::from(event == 4), event, None)];
        store.enqueue_deliveries(step(event - 1, event), &deliveries, moment(due)).await.expect("made");
    }
    assert_eq!(claimed(store, &claiming(moment(9), 9)).await, NONE);
    assert_eq!(claimed(store, &claiming(moment(39), 2)).await, [2, 3]);
    assert_eq!(claimed(store, &Claim { except: vec![webhook_id(1)], ..claiming(moment(50), 9) }).await, [4]);
    assert_eq!(
        claimed(store, &Claim { except: vec![webhook_id(2), webhook_id(7)], ..claiming(moment(50), 9) })
            .await,
        [1]
    );
    assert_eq!(claimed(store, &claiming(moment(60_038), 9)).await, NONE);
    let again = store.claim_deliveries(&claiming(moment(60_039), 9)).await.expect("claimed");
    assert_eq!(again.iter().map(|delivery| delivery.attempts).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(claimed(store, &claiming(moment(60_050), 9)).await, [1, 4]);
}

/// Nothing is claimed of a webhook that is disabled; it waits until it is enabled.
pub async fn deliveries_of_disabled_webhooks_wait(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let enabled = add(store, 1).await.webhook;
    store.enqueue_deliveries(step(0, 1), &[delivery(1, 1, None)], moment(0)).await.expect("made");
    let target = WebhookTarget { enabled: false, ..enabled.target.clone() };
    let disabled = Webhook { target, ..enabled.clone() };
    let event = webhook_event(EventKind::WebhookUpdated, &disabled);
    store.update_webhook(&enabled, &disabled, &event).await.expect("disabled");
    assert_eq!(claimed(store, &claiming(moment(1), 9)).await, NONE);
    store.update_webhook(&disabled, &enabled, &event).await.expect("enabled");
    assert_eq!(claimed(store, &claiming(moment(1), 9)).await, [1]);
}

/// Of each lane, one delivery is due: the next when the one before was made or given up, and not while that is tried again.
pub async fn deliveries_of_a_lane_are_due_one_after_another(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    add(store, 1).await;
    add(store, 2).await;
    let all = [
        delivery(1, 1, Some(lane(1))),
        delivery(1, 2, Some(lane(2))),
        delivery(1, 3, Some(lane(1))),
        delivery(2, 4, Some(lane(1))),
        delivery(1, 5, None),
        delivery(1, 6, None),
    ];
    store.enqueue_deliveries(step(0, 6), &all, moment(0)).await.expect("made");
    // Later ones of the same lanes.
    let later = [delivery(1, 7, Some(lane(1))), delivery(1, 8, Some(lane(3)))];
    store.enqueue_deliveries(step(6, 8), &later, moment(0)).await.expect("made");
    let first = store.claim_deliveries(&claiming(moment(0), 20)).await.expect("claimed");
    let mut events: Vec<_> = first.iter().map(|delivery| delivery.id.event.0).collect();
    events.sort_unstable();
    assert_eq!(events, [1, 2, 4, 5, 6, 8]);
    let of = |event: i64| first.iter().find(|delivery| delivery.id.event.0 == event).expect("claimed");
    let end = async |attempt: &Attempt| store.end_attempt(attempt).await.expect("recorded");

    assert!(end(&ended(of(1), DeliveryOutcome::Retry(moment(10)), moment(1))).await);
    assert!(end(&ended(of(2), DeliveryOutcome::Delivered, moment(1))).await);
    assert_eq!(claimed(store, &claiming(moment(9), 20)).await, NONE);
    let again = store.claim_deliveries(&claiming(moment(10), 20)).await.expect("claimed");
    assert_eq!((again[0].id.event.0, again[0].attempts), (1, 2));
    assert!(!end(&ended(of(1), DeliveryOutcome::Delivered, moment(11))).await, "given up for lost");
    assert!(end(&ended(&again[0], DeliveryOutcome::Failed, moment(11))).await);
    assert!(!end(&ended(&again[0], DeliveryOutcome::Delivered, moment(11))).await, "it has ended");
    let next = store.claim_deliveries(&claiming(moment(11), 20)).await.expect("claimed");
    assert_eq!((next.len(), next[0].id.event.0), (1, 3));
    assert!(end(&ended(&next[0], DeliveryOutcome::Delivered, moment(12))).await);
    assert_eq!(claimed(store, &claiming(moment(12), 20)).await, [7]);
    let unknown = DeliveryId { webhook: webhook_id(9), event: EventId(1) };
    assert!(
        !end(&Attempt { delivery: unknown, ..ended(of(1), DeliveryOutcome::Delivered, moment(11)) }).await
    );
    // A lane that has become empty.
    store.enqueue_deliveries(step(8, 9), &[delivery(1, 9, Some(lane(2)))], moment(12)).await.expect("made");
    assert_eq!(claimed(store, &claiming(moment(12), 20)).await, [9]);
}

/// While some tasks make deliveries and others claim and end them, each is claimed once at a time and those of a lane in order.
pub async fn lanes_keep_their_order_while_others_are_made(store: &Arc<dyn Store>) {
    const EVENTS: i64 = 240;
    add(store.as_ref(), 1).await;
    let all_are_made = Arc::new(AtomicBool::new(false));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let making = {
        let (store, all_are_made) = (Arc::clone(store), Arc::clone(&all_are_made));
        tokio::spawn(async move {
            for event in 0..EVENTS {
                let lane = lane(u8::try_from(event % 4).expect("small"));
                let deliveries = [delivery(1, event + 1, Some(lane))];
                store.enqueue_deliveries(step(event, event + 1), &deliveries, moment(0)).await.expect("made");
            }
            all_are_made.store(true, Ordering::SeqCst);
        })
    };
    let workers = (0..8).map(|worker| {
        let (store, all_are_made, seen) = (Arc::clone(store), Arc::clone(&all_are_made), Arc::clone(&seen));
        async move {
            loop {
                let is_last_look = all_are_made.load(Ordering::SeqCst);
                let claimed = store.claim_deliveries(&claiming(moment(0), 2)).await.expect("claimed");
                if claimed.is_empty()
                    && is_last_look
                    && store.count_waiting_deliveries().await.expect("counted") == 0
                {
                    return;
                }
                for delivery in claimed {
                    seen.lock().expect("no panic").push((
                        delivery.lane,
                        delivery.id.event,
                        delivery.attempts,
                    ));
                    let number = delivery.id.event.0 + worker;
                    // Due again at once.
                    let outcome = match number % 3 {
                        0 if delivery.attempts < 3 => DeliveryOutcome::Retry(moment(0)),
                        1 => DeliveryOutcome::Failed,
                        _ => DeliveryOutcome::Delivered,
                    };
                    assert!(
                        store.end_attempt(&ended(&delivery, outcome, moment(0))).await.expect("recorded")
                    );
                }
                tokio::task::yield_now().await;
            }
        }
    });
    run_concurrently(workers).await;
    making.await.expect("no panic");
    let seen = seen.lock().expect("no panic");
    let mut last = BTreeMap::new();
    let mut events = BTreeSet::new();
    for (lane, event, attempt) in seen.iter() {
        let key = lane.map(|lane| lane.to_string());
        let before = last.insert(key, (*event, *attempt));
        assert!(before < Some((*event, *attempt)), "{before:?}, then {event:?} at attempt {attempt}");
        events.insert(*event);
    }
    assert_eq!(i64::try_from(events.len()).expect("small"), EVENTS);
}

/// Each due delivery is claimed by one of many calls.
pub async fn concurrent_claims_do_not_overlap(store: &Arc<dyn Store>) {
    add(store.as_ref(), 1).await;
    let all: Vec<_> = (1..=60).map(|event| delivery(1, event, None)).collect();
    store.enqueue_deliveries(step(0, 60), &all, moment(0)).await.expect("made");
    let claims = (0..12).map(|_| {
        let store = Arc::clone(store);
        async move { claimed(store.as_ref(), &claiming(moment(0), 7)).await }
    });
    let mut events = run_concurrently(claims).await.concat();
    // Rows that others hold at that moment are skipped.
    events.extend(claimed(store.as_ref(), &claiming(moment(0), 60)).await);
    events.sort_unstable();
    assert_eq!(events, (1..=60).collect::<Vec<_>>());
}

/// A delivery that has ended is made again, at once and outside of the order; one that waits stays as it is.
pub async fn a_delivery_that_has_ended_is_made_again(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    add(store, 1).await;
    let all = [delivery(1, 1, Some(lane(1))), delivery(1, 2, Some(lane(1)))];
    store.enqueue_deliveries(step(0, 2), &all, moment(0)).await.expect("made");
    let waiting = store.redeliver(all[1].id, moment(9)).await.expect("there");
    assert_eq!(Some(&waiting), listed(store, None, None, 1).await.first());
    assert_eq!((waiting.next_at, waiting.lane), (None, Some(lane(1))));
    let first = store.claim_deliveries(&claiming(moment(0), 9)).await.expect("claimed").remove(0);
    store.end_attempt(&ended(&first, DeliveryOutcome::Failed, moment(1))).await.expect("recorded");
    let again = store.redeliver(first.id, moment(9)).await.expect("there");
    let expected = Delivery {
        state: DeliveryState::Waiting,
        attempts: 0,
        lane: None,
        next_at: Some(moment(9)),
        began_at: moment(9),
        ended_at: None,
        ..again.clone()
    };
    assert_eq!((&again, again.status), (&expected, Some(599)));
    assert_eq!(claimed(store, &claiming(moment(9), 9)).await, [1, 2]);
    let unknown = DeliveryId { webhook: webhook_id(1), event: EventId(3) };
    let missing = error_kind(store.redeliver(unknown, moment(9)).await);
    assert_eq!(missing, ErrorKind::NotFound(Entity::Delivery(unknown)));
}

/// Deliveries that were made or given up are deleted by their age; those that wait stay.
pub async fn old_deliveries_are_forgotten(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    add(store, 1).await;
    let all: Vec<_> = (1..=6).map(|event| delivery(1, event, None)).collect();
    store.enqueue_deliveries(step(0, 6), &all, moment(0)).await.expect("made");
    for delivery in store.claim_deliveries(&claiming(moment(0), 9)).await.expect("claimed") {
        let event = delivery.id.event.0;
        let outcome = match event {
            1..=3 => DeliveryOutcome::Delivered,
            4 | 5 => DeliveryOutcome::Failed,
            _ => DeliveryOutcome::Retry(moment(5)),
        };
        store.end_attempt(&ended(&delivery, outcome, moment(event))).await.expect("recorded");
    }
    assert_eq!(store.forget_deliveries(moment(3), moment(5)).await.expect("deleted"), 3);
    let left: Vec<_> =
        listed(store, None, None, 9).await.iter().map(|delivery| delivery.id.event.0).collect();
    assert_eq!(left, [6, 5, 3]);
    assert_eq!(store.forget_deliveries(moment(3), moment(5)).await.expect("deleted"), 0);
}
