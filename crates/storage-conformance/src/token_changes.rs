//! API tokens that change: when they end.

use std::sync::Arc;

use latchkey_domain::{EventId, EventKind, ProjectId, Timestamp, TokenId};
use latchkey_ports::{Entity, Store, StoreError, StoredToken};

use crate::{
    at_once::{at_once, one_wins},
    given,
    observed::{ServiceError, leaves, refusal, sorted, token_of_digest},
    samples::{
        admin_token, digest, ending, event, extreme_moments, frontend, last_seen, moment, project_id, token,
        token_deleted, token_of_all_projects, with_alias,
    },
};

type End = Option<Timestamp>;

async fn change(store: &dyn Store, id: TokenId, before: End, after: End) -> Result<EventId, StoreError> {
    store.change_token_expiry(id, before, after, &event(EventKind::ApiTokenUpdated)).await
}

/// The token is found as it is now, by every way there is.
async fn is_now(store: &dyn Store, expected: &StoredToken) {
    let found = store.find_token(expected.token.id).await.expect("a look-up");
    assert_eq!(found.as_ref(), Some(expected));
    for record in [Some(&expected.secret), expected.alias.as_ref()].into_iter().flatten() {
        assert_eq!(token_of_digest(store, &[record.digest]).await.as_ref(), Some(expected));
    }
    for project in expected.token.access.projects().named() {
        let listed = store.tokens_of_project(project).await.expect("tokens");
        assert!(listed.contains(expected), "not listed under {project}");
    }
}

/// An end is set, moved and taken away, each time with the event; nothing else of the token changes, and no other does.
pub async fn an_end_changes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["b", "a"]).await;
    let tokens = [
        with_alias(101, last_seen(Some(moment(40)), token(1, &["b", "default", "a"]))),
        frontend(token(2, &["a"])),
        token_of_all_projects(3),
        admin_token(4),
    ];
    let other = ending(Some(moment(1)), token(5, &["a"]));
    given::tokens(store, &tokens).await;
    given::token(store, &other).await;
    for stored in tokens {
        let mut before = None;
        for after in [Some(moment(7)), Some(moment(6)), Some(moment(6)), None, None] {
            let call = change(store, stored.token.id, before, after);
            leaves(store, &event(EventKind::ApiTokenUpdated), call).await;
            is_now(store, &ending(after, stored.clone())).await;
            before = after;
        }
    }
    is_now(store, &other).await;
}

/// Moments from the year 0000 to the year 9999 are compared and kept to the millisecond.
pub async fn an_end_of_any_year(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    given::token(store, &stored).await;
    let mut before = None;
    for after in extreme_moments().map(Some) {
        change(store, stored.token.id, before, after).await.expect("changed");
        is_now(store, &ending(after, stored.clone())).await;
        before = after;
    }
}

/// Where the token does not end when the caller thinks, nothing changes, also where it would end as wished.
pub async fn an_end_that_changed_meanwhile(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (endless, ended) = (token(1, &["default"]), ending(Some(moment(5)), token(2, &["default"])));
    given::tokens(store, &[endless.clone(), ended.clone()]).await;
    let wrong: [(TokenId, End, End); 5] = [
        (endless.token.id, Some(moment(5)), None),
        (endless.token.id, Some(moment(5)), Some(moment(6))),
        (ended.token.id, None, Some(moment(6))),
        (ended.token.id, Some(moment(4)), Some(moment(5))),
        (ended.token.id, Some(moment(6)), None),
    ];
    for (id, before, after) in wrong {
        let refused = refusal(store, change(store, id, before, after)).await;
        assert_eq!(refused, ServiceError::Stale(Entity::Token(id)), "{before:?}");
    }
}

/// A token that is not there, or not any more, does not change, whatever end it is thought to have.
pub async fn an_end_of_nothing(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (gone, never_kept) = (token(1, &["default"]), token(2, &["default"]));
    given::token(store, &gone).await;
    store.delete_token(gone.token.id, &token_deleted(&gone)).await.expect("removed");
    for id in [gone.token.id, never_kept.token.id] {
        for before in [None, Some(moment(5))] {
            let refused = refusal(store, change(store, id, before, Some(moment(6)))).await;
            assert_eq!(refused, ServiceError::NotFound(Entity::Token(id)));
        }
    }
}

/// Of two, and of 30, that saw the same end and change it at once, one is done.
pub async fn one_change_wins(store: &Arc<dyn Store>) {
    for (number, calls) in [(1, 2), (2, 30)] {
        let stored = token(number, &["default"]);
        let id = stored.token.id;
        given::token(store.as_ref(), &stored).await;
        let calls = (0..calls).map(|call| {
            let store = Arc::clone(store);
            let after = Some(moment(1_000 + call));
            async move { change(store.as_ref(), id, None, after).await.map(|_| after) }
        });
        let winner = one_wins(store.as_ref(), ServiceError::Stale(Entity::Token(id)), calls).await;
        is_now(store.as_ref(), &ending(winner, stored)).await;
    }
}

/// A token that is removed while its end changes is gone, whichever came first, and so is its secret.
pub async fn a_change_beside_a_removal(store: &Arc<dyn Store>) {
    for number in 0..20 {
        let stored = token(number, &["default"]);
        let id = stored.token.id;
        given::token(store.as_ref(), &stored).await;
        let calls = [number % 2 == 0, number % 2 == 1].map(|removes| {
            let (store, stored) = (Arc::clone(store), stored.clone());
            async move {
                if removes {
                    store.delete_token(id, &token_deleted(&stored)).await
                } else {
                    change(store.as_ref(), id, None, Some(moment(9))).await
                }
            }
        });
        let (done, refused) = sorted(at_once(calls).await);
        assert!(
            refused.iter().all(|refusal| *refusal == ServiceError::NotFound(Entity::Token(id))),
            "{refused:?}"
        );
        assert!(!done.is_empty(), "the removal has to be done");
        assert_eq!(store.find_token(id).await.expect("a look-up"), None);
        assert_eq!(token_of_digest(store.as_ref(), &[digest(number)]).await, None);
    }
    let default: ProjectId = project_id("default");
    assert_eq!(store.tokens_of_project(&default).await.expect("tokens"), []);
}
