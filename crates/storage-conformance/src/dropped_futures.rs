//! Calls that nobody waits for any more: a client hangs up, and the future is dropped wherever it was. The call must have
//! been made whole or not at all, and the store must work on.

use std::{collections::BTreeSet, sync::Arc};

use latchkey_domain::{EventId, EventKind, Snapshot, TokenId};
use latchkey_ports::Store;

use crate::{
    at_once::at_once,
    given,
    observed::{Observed, observe},
    samples::{
        ROOM_ENOUGH, moment, project, project_created, project_id, token, token_created, token_deleted,
    },
};

/// How often each call is begun and dropped, each time one step later.
pub(crate) const CALLS: u64 = 40;

/// Polls the call, then again after each of so many turns of the other tasks, then drops it.
pub(crate) async fn poll_and_drop<T>(turns: u64, call: impl Future<Output = T>) {
    let patience = async {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        _ = call => {}
        () = patience => {}
    }
}

/// The tokens that were created and not removed, by the trail.
fn by_the_trail(observed: &Observed) -> BTreeSet<TokenId> {
    let mut tokens = BTreeSet::new();
    let id_in = |snapshot: &Option<Snapshot>| {
        let json = snapshot.as_ref().expect("a snapshot").to_json();
        TokenId::parse(json["id"].as_str().expect("an id")).expect("a token's id")
    };
    for event in &observed.events {
        let record = &event.record;
        let fits = match record.kind {
            EventKind::ApiTokenCreated => tokens.insert(id_in(&record.after)),
            EventKind::ApiTokenDeleted => tokens.remove(&id_in(&record.before)),
            _ => true,
        };
        assert!(fits, "created or removed twice: {event:?}");
    }
    tokens
}

/// Everything that the store shows belongs together, and it goes on working.
pub(crate) async fn is_whole(store: &dyn Store) {
    let observed = observe(store).await;
    let listed: BTreeSet<_> = observed.tokens.iter().flatten().map(|stored| stored.token.id).collect();
    assert_eq!(listed, by_the_trail(&observed), "tokens without events, or events without tokens");

    let stored = token(1_000_000, &["default"]);
    let created = store.create_token(&stored, ROOM_ENOUGH, &token_created(&stored)).await.expect("created");
    assert_eq!(store.find_token(stored.token.id).await.expect("a look-up").as_ref(), Some(&stored));
    let trail = observe(store).await.events;
    assert!(trail.iter().any(|event| event.id == created), "the event of the last creation is missing");
}

/// Creations that are dropped after a first poll, or some polls later.
pub async fn of_creations(store: &Arc<dyn Store>) {
    for turns in 0..CALLS {
        let stored = token(turns, &["default"]);
        let event = token_created(&stored);
        poll_and_drop(turns, store.create_token(&stored, ROOM_ENOUGH, &event)).await;
    }
    is_whole(store.as_ref()).await;
}

/// A creation that is never polled was never made.
pub async fn never_begun(store: &Arc<dyn Store>) {
    let before = observe(store.as_ref()).await;
    let stored = token(1, &["default"]);
    let event = token_created(&stored);
    drop(store.create_token(&stored, ROOM_ENOUGH, &event));
    assert_eq!(observe(store.as_ref()).await, before);
    is_whole(store.as_ref()).await;
}

/// Removals that are dropped; each can be made again until the token is gone.
pub async fn of_removals(store: &Arc<dyn Store>) {
    for turns in 0..CALLS {
        let stored = token(turns, &["default"]);
        given::token(store.as_ref(), &stored).await;
        let event = token_deleted(&stored);
        poll_and_drop(turns, store.delete_token(stored.token.id, &event)).await;
    }
    is_whole(store.as_ref()).await;
}

/// Reads, notes and creations of projects that are dropped, between creations that are not.
pub async fn of_everything_else(store: &Arc<dyn Store>) {
    let default = project_id("default");
    for turns in 0..CALLS {
        let stored = token(turns, &["default"]);
        let project = project(&format!("p{turns}"));
        let event = project_created(&project);
        poll_and_drop(turns, store.create_project(&project, &[], None, &event)).await;
        given::token(store.as_ref(), &stored).await;
        poll_and_drop(turns, store.tokens_of_project(&default)).await;
        poll_and_drop(turns, store.record_token_use(&[(stored.token.id, moment(5))])).await;
        poll_and_drop(turns, store.events_after(EventId(0), 100)).await;
    }
    let observed = observe(store.as_ref()).await;
    let of_projects = observed.events.iter().filter(|event| event.record.kind == EventKind::ProjectCreated);
    // The project that was always there has no event.
    assert_eq!(of_projects.count() + 1, observed.projects.len());
    is_whole(store.as_ref()).await;
}

/// Many dropped at once, so that every connection that a store has is hit.
pub async fn many_at_once(store: &Arc<dyn Store>) {
    let calls = (0..CALLS).map(|turns| {
        let store = Arc::clone(store);
        async move {
            let stored = token(turns, &["default"]);
            let event = token_created(&stored);
            poll_and_drop(turns % 10, store.create_token(&stored, ROOM_ENOUGH, &event)).await;
        }
    });
    at_once(calls).await;
    is_whole(store.as_ref()).await;
}
