//! Events that are recorded without a change, such as of a leak.

use std::sync::Arc;

use latchkey_domain::{EventKind, NewEvent, Subject};
use latchkey_ports::{Entity, Store, StoreError, StoredToken};

use crate::{
    harness::{ErrorKind, all_events, expect_error, expect_event, run_concurrently},
    samples::{AMPLE_QUOTA, event, only, token, token_created, token_deleted},
};

fn leaked(stored: &StoredToken) -> NewEvent {
    NewEvent {
        subject: Some(Subject::Token(stored.token.id)),
        projects: Some(only(&["default"])),
        ..event(EventKind::ApiTokenLeaked)
    }
}

/// An event about a token, and one about no token, is recorded as it is, under the id that the call returns; nothing else
/// changes.
pub async fn an_event_is_recorded_without_a_change(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    store.create_token(&stored, AMPLE_QUOTA, &token_created(&stored)).await.expect("created");
    let about_no_token = NewEvent { subject: None, ..event(EventKind::PersonalTokenLeaked) };
    for event in [leaked(&stored), leaked(&stored), about_no_token] {
        expect_event(store, &event, store.record(&event)).await;
    }
    assert_eq!(store.find_token(stored.token.id).await.expect("a lookup"), Some(stored));
}

/// Nothing is recorded about a token that does not exist, or no longer does.
pub async fn nothing_is_recorded_about_a_token_that_is_gone(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (stored, other) = (token(1, &["default"]), token(2, &["default"]));
    store.create_token(&other, AMPLE_QUOTA, &token_created(&other)).await.expect("created");
    let missing = ErrorKind::NotFound(Entity::Token(stored.token.id));
    assert_eq!(expect_error(store, store.record(&leaked(&stored))).await, missing);
    store.create_token(&stored, AMPLE_QUOTA, &token_created(&stored)).await.expect("created");
    store.delete_token(stored.token.id, &token_deleted(&stored)).await.expect("removed");
    assert_eq!(expect_error(store, store.record(&leaked(&stored))).await, missing);
}

/// While a token is removed, what is recorded about it comes before its removal, or is not recorded.
pub async fn nothing_is_recorded_after_a_removal(store: &Arc<dyn Store>) {
    for number in 1..=5 {
        let stored = token(number, &["default"]);
        store.create_token(&stored, AMPLE_QUOTA, &token_created(&stored)).await.expect("created");
        let calls = (0..8).map(|call| {
            let (store, stored) = (Arc::clone(store), stored.clone());
            async move {
                if call == 4 {
                    store.delete_token(stored.token.id, &token_deleted(&stored)).await.map(drop)
                } else {
                    store.record(&leaked(&stored)).await.map(drop)
                }
            }
        });
        for outcome in run_concurrently(calls).await {
            match outcome {
                Ok(()) | Err(StoreError::NotFound(Entity::Token(_))) => {}
                Err(error) => panic!("{error}"),
            }
        }
        let events = all_events(store.as_ref()).await;
        let last = events.last().expect("events");
        assert_eq!(
            last.record.kind,
            EventKind::ApiTokenDeleted,
            "the removal is the last event of the token"
        );
    }
}
