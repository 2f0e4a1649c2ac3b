//! The chain over events: whatever is changed is found, and what the retention removes is not missed.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use latchkey_crypto::{KeyRing, MasterKey, Sealer, SystemEntropy};
use latchkey_domain::{Actor, ChainHash, Event, EventId, EventKind, NewEvent, Origin, Snapshot};
use latchkey_ports::{
    EventSeal, Inconsistency, MockEventRepository, SecretSealer, SettledEvents, Settlement, StoreError,
};
use latchkey_service::{AuditSeals, Reveal, SealFaultKind, SealReport, Settings};
use serde_json::json;

use crate::support::{TestEnv, moment, settings};

/// What a database has, which a hand can change.
#[derive(Default)]
struct Database {
    events: Vec<Event>,
    seals: Vec<EventSeal>,
    /// A row that cannot be read.
    unreadable: Option<i64>,
}

#[derive(Clone)]
struct Store(Arc<Mutex<Database>>);

impl Store {
    /// A store with so many events, and seals of so many of them each.
    async fn sealed(events: i64, at_once: usize) -> (Self, Arc<dyn SecretSealer>) {
        let store = Self(Arc::default());
        let sealer = sealer(&[&key()]);
        let all: Vec<Event> = (1..=events).map(event).collect();
        for some in all.chunks(at_once) {
            store.lock().events.extend_from_slice(some);
            let count = store.seals(&sealer).seal().await.expect("sealed");
            assert_eq!(count, some.len() as u64);
        }
        (store, sealer)
    }

    fn lock(&self) -> MutexGuard<'_, Database> {
        self.0.lock().expect("no panic")
    }

    fn seals(&self, sealer: &Arc<dyn SecretSealer>) -> AuditSeals {
        let mut events = MockEventRepository::new();
        let store = self.clone();
        events.expect_newest_seal().returning(move || Ok(store.lock().seals.last().cloned()));
        let store = self.clone();
        events.expect_seals_after().returning(move |last, limit| {
            let seals = &store.lock().seals;
            Ok(seals.iter().filter(|seal| seal.last > last).take(limit as usize).cloned().collect())
        });
        let store = self.clone();
        events.expect_add_seal().returning(move |seal| {
            store.lock().seals.push(seal.clone());
            Ok(true)
        });
        let store = self.clone();
        events.expect_settled_events().returning(move |after, _, limit| {
            let database = store.lock();
            let later = database.events.iter().filter(|event| event.id > after).take(limit as usize);
            let events: Vec<Event> = later.cloned().collect();
            if let Some(row) = database.unreadable.filter(|row| events.iter().any(|event| event.id.0 == *row))
            {
                let fault = "there is no event type".to_owned();
                let fault = Inconsistency { table: "events", column: "kind", row: row.to_string(), fault };
                return Err(StoreError::Inconsistent(fault));
            }
            let newest = database.events.last().map_or(EventId(0), |event| event.id);
            Ok(SettledEvents { events, newest, settlement: Settlement::up_to(newest) })
        });
        AuditSeals::new(Arc::new(events), sealer.clone())
    }

    async fn verify(&self, sealer: &Arc<dyn SecretSealer>) -> SealReport {
        self.seals(sealer).verify(None).await.expect("verified")
    }

    /// Returns the kinds and ranges of faults after a change.
    async fn faults_after(
        &self,
        sealer: &Arc<dyn SecretSealer>,
        change: impl FnOnce(&mut Database),
    ) -> Vec<(SealFaultKind, i64, i64)> {
        change(&mut self.lock());
        let report = self.verify(sealer).await;
        report.faults.iter().map(|fault| (fault.kind, fault.first.0, fault.last.0)).collect()
    }
}

fn key() -> MasterKey {
    MasterKey::parse(&"07".repeat(32)).expect("a key")
}

fn sealer(keys: &[&MasterKey]) -> Arc<dyn SecretSealer> {
    let [current, older @ ..] = keys else { unreachable!("there is a current key") };
    let ring = KeyRing::new((*current).clone(), older.iter().copied().cloned());
    Arc::new(Sealer::new(&ring, Arc::new(SystemEntropy)))
}

fn event(number: i64) -> Event {
    let actor = Actor::AdminToken { name: format!("token {number}") };
    let record = NewEvent {
        after: Snapshot::from_record(json!({"name": number})),
        ..NewEvent::new(EventKind::ApiTokenCreated, actor, Origin::default(), moment(number))
    };
    // With gaps, as of what was rolled back.
    Event { id: EventId(2 * number), record }
}

#[tokio::test]
async fn what_was_not_changed_is_verified() {
    let (store, sealer) = Store::sealed(10, 3).await;
    let report = store.verify(&sealer).await;
    assert_eq!((report.seals, report.events, report.unsealed, &report.faults[..]), (4, 10, 0, &[][..]));
    let (last, head) = report.head.expect("a head");
    assert_eq!((last, report.removed_up_to), (EventId(20), None));
    store.lock().events.push(event(11));
    let report = store.verify(&sealer).await;
    assert_eq!((report.events, report.unsealed, report.faults.len()), (10, 1, 0));
    assert_eq!(store.seals(&sealer).seal().await.expect("sealed"), 1);
    let later = store.seals(&sealer).verify(Some(head)).await.expect("verified");
    assert_eq!((later.events, later.faults.len()), (11, 0), "the noted head is one of the chain");
    assert_ne!(later.head.expect("a head").1, head);
}

#[tokio::test]
async fn nothing_is_no_fault() {
    let (store, sealer) = Store::sealed(0, 1).await;
    assert_eq!(store.verify(&sealer).await, SealReport::default());
    assert_eq!(store.seals(&sealer).seal().await.expect("sealed"), 0);
    let report = store.seals(&sealer).verify(Some(ChainHash([1; 32]))).await.expect("verified");
    assert_eq!(report.faults.iter().map(|fault| fault.kind).collect::<Vec<_>>(), [SealFaultKind::NoSuchHead]);
}

#[tokio::test]
async fn a_long_log_is_sealed_in_portions() {
    let store = Store(Arc::default());
    let sealer = sealer(&[&key()]);
    store.lock().events.extend((1..=2_500).map(event));
    let seals = store.seals(&sealer);
    assert_eq!((seals.seal().await.expect("sealed"), seals.unsealed()), (2_500, 0));
    assert_eq!(store.lock().seals.iter().map(|seal| seal.events).collect::<Vec<_>>(), [1_000, 1_000, 500]);
    assert_eq!(store.verify(&sealer).await.events, 2_500);
}

#[tokio::test]
async fn every_change_of_an_event_is_found_where_it_is() {
    let alterations: [fn(&mut Event); 6] = [
        |event| event.record.kind = EventKind::ApiTokenDeleted,
        |event| event.record.actor = Actor::System,
        |event| event.record.at = moment(999),
        |event| event.record.after = None,
        |event| event.record.origin.user_agent = Some(String::new()),
        |event| event.id = EventId(event.id.0 + 1),
    ];
    for alter in alterations {
        // The first, one in the middle, the last; each seal has three events, the last one has one.
        for (place, first, last) in [(0, 1, 6), (4, 7, 12), (9, 19, 20)] {
            let (store, sealer) = Store::sealed(10, 3).await;
            let faults = store.faults_after(&sealer, |database| alter(&mut database.events[place])).await;
            assert!(
                faults.iter().all(|(_, from, to)| (*from, *to) == (first, last)) && !faults.is_empty(),
                "{place}: {faults:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_was_removed_or_added_is_found() {
    for (place, first, last) in [(0, 1, 6), (4, 7, 12), (9, 19, 20)] {
        let (store, sealer) = Store::sealed(10, 3).await;
        let faults = store.faults_after(&sealer, |database| drop(database.events.remove(place))).await;
        assert_eq!(faults, [(SealFaultKind::Removed, first, last)]);
        let (store, sealer) = Store::sealed(10, 3).await;
        let faults = store.faults_after(&sealer, |database| {
            let added = Event { id: EventId(database.events[place].id.0 - 1), ..event(5) };
            database.events.insert(place, added);
        });
        assert_eq!(faults.await, [(SealFaultKind::Added, first, last)]);
    }
    // Two that change places keep their numbers.
    let (store, sealer) = Store::sealed(10, 3).await;
    let faults = store.faults_after(&sealer, |database| {
        let [one, other] = [database.events[3].record.clone(), database.events[4].record.clone()];
        (database.events[3].record, database.events[4].record) = (other, one);
    });
    assert_eq!(faults.await, [(SealFaultKind::Altered, 7, 12)]);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_was_altered_and_the_others_are_verified() {
    let (store, sealer) = Store::sealed(10, 3).await;
    let faults = store.faults_after(&sealer, |database| database.unreadable = Some(10)).await;
    assert_eq!(faults, [(SealFaultKind::Altered, 7, 12)]);
}

#[tokio::test]
async fn a_chain_without_the_key_is_found() {
    let (store, right) = Store::sealed(10, 3).await;
    // A hand alters an event, and makes the chain anew with a key of its own.
    let other = sealer(&[&MasterKey::generate(&SystemEntropy)]);
    {
        let mut database = store.lock();
        database.events[4].record.after = None;
        database.seals.clear();
    }
    store.seals(&other).seal().await.expect("sealed");
    let faults = store.faults_after(&right, |_| ()).await;
    assert_eq!(faults, [(SealFaultKind::UnknownKey, 1, 20)]);
    let faults = store.faults_after(&right, |database| database.seals[0].key = right.keys()[0]).await;
    assert_eq!(faults, [(SealFaultKind::BadMac, 1, 20)]);
}

#[tokio::test]
async fn every_member_of_a_seal_is_authenticated() {
    let alterations: [fn(&mut EventSeal); 4] = [
        |seal| seal.events += 1,
        |seal| seal.newest_at = moment(1),
        |seal| seal.hash = ChainHash([1; 32]),
        |seal| seal.mac = [1; 32],
    ];
    for alter in alterations {
        let (store, sealer) = Store::sealed(10, 3).await;
        let faults = store.faults_after(&sealer, |database| alter(&mut database.seals[1])).await;
        assert!(faults.contains(&(SealFaultKind::BadMac, 7, 12)), "{faults:?}");
    }
    for (place, first, last) in [(1, 7, 18), (2, 13, 20)] {
        let (store, sealer) = Store::sealed(10, 3).await;
        let faults = store
            .faults_after(&sealer, |database| {
                database.seals.remove(place);
            })
            .await;
        assert_eq!(faults, [(SealFaultKind::Removed, first, last)], "a seal in the middle");
    }
}

#[tokio::test]
async fn seals_of_a_retired_key_are_vouched_for_by_later_ones() {
    let (store, old) = Store::sealed(6, 3).await;
    let new = MasterKey::generate(&SystemEntropy);
    let rotated = sealer(&[&new, &key()]);
    assert_eq!(store.verify(&rotated).await.faults, []);
    store.lock().events.push(event(7));
    store.seals(&rotated).seal().await.expect("sealed");
    let retired = sealer(&[&new]);
    assert_eq!(store.verify(&retired).await.faults, []);
    let faults = store.faults_after(&retired, |database| database.events[1].record.after = None).await;
    assert_eq!(faults, [(SealFaultKind::Altered, 1, 6)]);
    assert_eq!(store.faults_after(&old, |_| ()).await.last(), Some(&(SealFaultKind::UnknownKey, 13, 14)));
}

#[tokio::test]
async fn an_end_that_was_cut_off_is_found_by_who_noted_the_head() {
    let (store, sealer) = Store::sealed(10, 3).await;
    let (_, noted) = store.verify(&sealer).await.head.expect("a head");
    {
        let mut database = store.lock();
        database.seals.truncate(2);
        database.events.truncate(6);
    }
    assert_eq!(store.verify(&sealer).await.faults, []);
    let report = store.seals(&sealer).verify(Some(noted)).await.expect("verified");
    assert_eq!(report.faults.iter().map(|fault| fault.kind).collect::<Vec<_>>(), [SealFaultKind::NoSuchHead]);
}

/// The sealing of a server, its retention and a verification, over a store.
#[tokio::test]
async fn the_retention_keeps_the_chain() {
    let kept_for = Duration::from_secs(100);
    let env = TestEnv::with(Settings { retention: Some(kept_for), ..settings(Reveal::Always) });
    let seals = &env.use_cases.audit_seals;
    for name in ["a", "b", "c"] {
        env.project(name).await;
        assert_eq!(seals.seal().await.expect("sealed"), 1);
        env.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(env.use_cases.sweep().await.expect("swept"), 2);
    let report = seals.verify(None).await.expect("verified");
    assert_eq!((report.seals, report.events, report.leaving, report.faults.len()), (1, 1, 0, 0));
    assert_eq!(report.removed_up_to.map(|(last, _)| last), Some(EventId(2)));
    env.clock.advance(Duration::from_secs(9_999));
    assert_eq!(env.use_cases.sweep().await.expect("swept"), 0, "the newest stays");
    env.project("d").await;
    assert_eq!(env.use_cases.sweep().await.expect("swept"), 1);
    let report = seals.verify(None).await.expect("verified");
    assert_eq!((report.events, report.unsealed, report.leaving, report.faults.len()), (1, 0, 0, 0));
    assert_eq!(report.removed_up_to.map(|(last, _)| last), Some(EventId(3)));
}
