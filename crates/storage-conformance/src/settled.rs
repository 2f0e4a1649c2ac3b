//! Settled events: a reader that remembers one number gets every event once, in order.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use latchkey_domain::{Event, EventId, EventKind};
use latchkey_ports::{Entity, Settlement, Store, StoredToken};

use crate::{
    event_log::latest_event,
    harness::{ErrorKind, all_events, error_kind, run_concurrently},
    samples::{AMPLE_QUOTA, event, new_token, secret, token, token_created, token_deleted},
    setup,
};

/// Reads settled events in portions.
#[derive(Default)]
struct Reader {
    settlement: Settlement,
    seen: Vec<Event>,
}

impl Reader {
    fn last(&self) -> EventId {
        self.seen.last().map_or(EventId(0), |event| event.id)
    }

    /// Reads what is settled.
    async fn read(&mut self, store: &dyn Store, limit: u32) {
        loop {
            let read = store.settled_events(self.last(), &self.settlement, limit).await.expect("events");
            assert!(read.events.len() <= usize::try_from(limit).expect("few"), "more than the limit");
            assert!(read.newest >= read.settlement.settled());
            self.settlement = read.settlement;
            if read.events.is_empty() {
                return;
            }
            self.seen.extend(read.events);
        }
    }

    /// Reads until there is nothing more; on PostgreSQL, transactions of other tests may have to end first.
    async fn read_all(&mut self, store: &dyn Store, limit: u32) {
        let newest = latest_event(store).await;
        while self.last() < newest {
            self.read(store, limit).await;
            tokio::task::yield_now().await;
        }
    }
}

/// The events are complete and in order, from any number on, in portions of any size.
pub async fn settled_events_are_read_from_any_number_on(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let empty = store.settled_events(EventId(0), &Settlement::default(), 10).await.expect("events");
    assert_eq!((empty.events, empty.newest, empty.settlement.is_pending()), (vec![], EventId(0), false));
    setup::projects(store, &["a", "b", "c", "d", "e"]).await;
    let all = all_events(store).await;
    for limit in [1, 2, 5, 1_000] {
        let mut reader = Reader::default();
        reader.read_all(store, limit).await;
        assert_eq!(reader.seen, all, "{limit} at once");
    }
    for skipped in 0..=all.len() {
        let after = all[..skipped].last().map_or(EventId(0), |event| event.id);
        let up_to = Settlement::up_to(all[4].id);
        let read = store.settled_events(after, &up_to, 10).await.expect("events");
        assert_eq!(read.events, all[skipped..]);
        assert_eq!((read.newest, read.settlement.settled()), (all[4].id, all[4].id));
    }
    let beyond = EventId(all[4].id.0 + 1_000);
    let read = store.settled_events(beyond, &Settlement::default(), 10).await.expect("events");
    assert_eq!((read.events, read.newest), (vec![], all[4].id));
    assert_eq!(store.settled_events(beyond, &Settlement::default(), 0).await.expect("events").events, []);
}

/// Events of other systems are read by no such reader, whatever number it names.
pub async fn imported_events_are_not_among_settled_ones(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let imported = Event { id: EventId::imported(7).expect("an id"), record: event(EventKind::UserCreated) };
    store.import_events(&[imported]).await.expect("imported");
    let read = store.settled_events(EventId(i64::MIN), &Settlement::default(), 10).await.expect("events");
    assert_eq!((read.events, read.newest), (vec![], EventId(0)));
    setup::projects(store, &["a"]).await;
    let mut reader = Reader::default();
    reader.read_all(store, 10).await;
    assert_eq!(reader.seen.iter().map(|event| event.id).collect::<Vec<_>>(), [latest_event(store).await]);
}

/// While 16 tasks write, and some of their transactions are rolled back after an event was recorded, readers see every event once and
/// in order.
pub async fn settled_events_are_read_once_in_order(store: &Arc<dyn Store>) {
    const WRITERS: u64 = 16;
    const TOKENS: u64 = 20;
    setup::projects(store.as_ref(), &["a", "b"]).await;
    let writers_are_done = Arc::new(AtomicBool::new(false));
    let reading = {
        let (store, writers_are_done) = (Arc::clone(store), Arc::clone(&writers_are_done));
        tokio::spawn(async move {
            let mut reader = Reader::default();
            while !writers_are_done.load(Ordering::SeqCst) {
                reader.read(store.as_ref(), 7).await;
                tokio::task::yield_now().await;
            }
            reader.read_all(store.as_ref(), 7).await;
            reader
        })
    };
    let writers = (0..WRITERS).zip(["a", "b"].into_iter().cycle()).map(|(writer, project)| {
        let store = Arc::clone(store);
        async move {
            for number in writer * TOKENS..(writer + 1) * TOKENS {
                let stored = token(number, &[project]);
                store.create_token(&stored, AMPLE_QUOTA, &token_created(&stored)).await.expect("created");
                if number % 3 == 0 {
                    store.delete_token(stored.token.id, &token_deleted(&stored)).await.expect("removed");
                }
                if number % 5 == 0 {
                    // The second has the id of the first, whose event has its number by then.
                    let first = token(10_000 + number, &[project]);
                    let second = StoredToken { secret: secret(20_000 + number), ..first.clone() };
                    let conflict = ErrorKind::Conflict(Entity::Token(first.token.id));
                    let refused = store.create_tokens(&[first, second].map(new_token)).await;
                    assert_eq!(error_kind(refused), conflict);
                }
            }
        }
    });
    run_concurrently(writers).await;
    writers_are_done.store(true, Ordering::SeqCst);
    let reader = reading.await.expect("no panic");
    assert_eq!(reader.seen, all_events(store.as_ref()).await, "an event was missed, or read twice");
}
