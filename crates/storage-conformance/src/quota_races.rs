//! Many creations at once against a limit: no more succeed than there is room for, and no less.

use std::sync::Arc;

use latchkey_domain::EventId;
use latchkey_ports::{Quota, Store, StoreError, StoredToken};

use crate::{
    at_once::at_once,
    given,
    observed::{ServiceError, all_events, sorted},
    samples::{admin_token, first_token, project_id, token, token_created, token_of_all_projects},
};

const CALLS: u64 = 30;
const ROOM: u64 = 7;

async fn create_at_once(
    store: &Arc<dyn Store>,
    tokens: Vec<StoredToken>,
) -> Vec<Result<EventId, StoreError>> {
    let calls = tokens.into_iter().map(|stored| {
        let store = Arc::clone(store);
        async move { store.create_token(&stored, Quota(ROOM), &token_created(&stored)).await }
    });
    at_once(calls).await
}

/// Of all tokens at once, each of which needs room in the same place, as many are kept as there is room, each with its
/// event.
async fn fill(store: &Arc<dyn Store>, tokens: Vec<StoredToken>) {
    let before = all_events(store.as_ref()).await.len();
    let ids: Vec<_> = tokens.iter().map(|stored| stored.token.id).collect();
    let (kept, refused) = sorted(create_at_once(store, tokens).await);
    assert_eq!(kept.len(), 7, "the quota is {ROOM}");
    assert!(refused.iter().all(|refusal| *refusal == ServiceError::LimitReached(ROOM)), "{refused:?}");
    let mut found = 0;
    for id in ids {
        found += usize::from(store.find_token(id).await.expect("a look-up").is_some());
    }
    assert_eq!(found, 7, "tokens that were refused are there");
    assert_eq!(all_events(store.as_ref()).await.len() - before, 7, "as many events as tokens");
}

async fn listed(store: &dyn Store, project: &str) -> usize {
    store.tokens_of_project(&project_id(project)).await.expect("tokens").len()
}

/// 30 tokens at once for one project with room for 7.
pub async fn one_project(store: &Arc<dyn Store>) {
    fill(store, (0..CALLS).map(|number| token(number, &["default"])).collect()).await;
    assert_eq!(listed(store.as_ref(), "default").await, 7);
}

/// 30 tokens at once that name the same three projects, in different orders.
pub async fn several_projects(store: &Arc<dyn Store>) {
    given::projects(store.as_ref(), &["a", "b", "c"]).await;
    let orders: [&[&str]; 3] = [&["a", "b", "c"], &["c", "b", "a"], &["b", "c", "a"]];
    let tokens = (0_u64..).zip(orders.into_iter().cycle()).take(30);
    fill(store, tokens.map(|(number, order)| token(number, order)).collect()).await;
    for project in ["a", "b", "c"] {
        assert_eq!(listed(store.as_ref(), project).await, 7, "in {project}");
    }
}

/// 30 tokens of all projects at once, every other one an admin's.
pub async fn all_projects(store: &Arc<dyn Store>) {
    let tokens = (0..CALLS).map(|number| match number % 2 {
        0 => token_of_all_projects(number),
        _ => admin_token(number),
    });
    fill(store, tokens.collect()).await;
}

/// 30 tokens at once that name one of two projects or both: neither project takes more than it may, and who is refused
/// is refused because one of them is full.
pub async fn overlapping_projects(store: &Arc<dyn Store>) {
    given::projects(store.as_ref(), &["a", "b"]).await;
    let scopes: [&[&str]; 4] = [&["a"], &["b"], &["b", "a"], &["a", "b"]];
    let tokens = (0_u64..).zip(scopes.into_iter().cycle()).take(30);
    let tokens = tokens.map(|(number, projects)| token(number, projects)).collect();
    let (kept, refused) = sorted(create_at_once(store, tokens).await);
    assert_eq!(kept.len() + refused.len(), 30);
    assert!(refused.iter().all(|refusal| *refusal == ServiceError::LimitReached(ROOM)), "{refused:?}");
    // Each scope comes seven times or more, so both are full in the end.
    assert_eq!((listed(store.as_ref(), "a").await, listed(store.as_ref(), "b").await), (7, 7));
    let events = all_events(store.as_ref()).await.len();
    assert_eq!(events, kept.len() + 2, "two projects, and as many tokens as were kept");
}

/// Room in one place is not taken by what happens in others: 7 each at once for 3 projects and for all of them.
pub async fn limits_do_not_touch_each_other(store: &Arc<dyn Store>) {
    given::projects(store.as_ref(), &["a", "b"]).await;
    let tokens = (0..4 * ROOM).map(|number| match number % 4 {
        0 => token(number, &["default"]),
        1 => token(number, &["a"]),
        2 => token(number, &["b"]),
        _ => token_of_all_projects(number),
    });
    let (kept, refused) = sorted(create_at_once(store, tokens.collect()).await);
    assert_eq!((kept.len(), refused), (28, vec![]));
}

/// 10 callers at once bring different first tokens: those of one are kept, whole, and the others are told so.
pub async fn first_tokens(store: &Arc<dyn Store>) {
    let calls = (0..10).map(|caller| {
        let store = Arc::clone(store);
        let pair = [admin_token(10 * caller), token(10 * caller + 1, &["default"])];
        async move { (caller, store.create_first_tokens(&pair.map(first_token)).await.expect("an answer")) }
    });
    let outcomes = at_once(calls).await;
    let winners: Vec<u64> = outcomes.iter().filter(|(_, kept)| *kept).map(|(caller, _)| *caller).collect();
    let [winner] = winners[..] else { panic!("one must win, not {winners:?}") };
    for caller in 0..10 {
        for stored in [admin_token(10 * caller), token(10 * caller + 1, &["default"])] {
            let found = store.find_token(stored.token.id).await.expect("a look-up");
            assert_eq!(found.is_some(), caller == winner, "{caller}, where {winner} won");
        }
    }
    assert_eq!(all_events(store.as_ref()).await.len(), 2);
}
