//! Several tokens created at once: all or none, with an event each.

use std::sync::Arc;

use latchkey_domain::{Event, EventId};
use latchkey_ports::{Entity, NewToken, Quota, Store, StoredToken, TokenQuery};

use crate::{
    event_log::events_after,
    harness::{
        ErrorKind, all_events, all_projects, all_tokens, expect_error, partition_results, run_concurrently,
    },
    samples::{
        admin_token, environment, new_token, project_id, secret, token, token_of_all_projects, working_in,
    },
    setup,
};

fn new(tokens: impl IntoIterator<Item = StoredToken>) -> Vec<NewToken> {
    tokens.into_iter().map(new_token).collect()
}

fn limited(quota: u64, tokens: impl IntoIterator<Item = StoredToken>) -> Vec<NewToken> {
    tokens.into_iter().map(|token| NewToken { quota: Quota(quota), ..new_token(token) }).collect()
}

/// Creates these tokens, and expects them and their events.
async fn assert_created(store: &dyn Store, tokens: &[NewToken]) {
    let before = events_after(store, EventId(0)).await.last().map_or(EventId(0), |event| event.id);
    let numbers = store.create_tokens(tokens).await.expect("created");
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    let expected = numbers.into_iter().zip(tokens);
    let expected: Vec<_> = expected.map(|(id, new)| Event { id, record: new.event.clone() }).collect();
    assert_eq!(events_after(store, before).await, expected);
    for NewToken { token, .. } in tokens {
        assert_eq!(store.find_token(token.token.id).await.expect("a lookup").as_ref(), Some(token));
    }
}

/// Tokens of every kind are created at once, with their events in the same order.
pub async fn a_batch_is_created_with_an_event_each(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b"]).await;
    let mut aliased = token(3, &["a"]);
    aliased.alias = Some(secret(103));
    let elsewhere = working_in("production", token(5, &["b"]));
    let batch = [token(9, &["a"]), token(1, &["b", "a"]), aliased, admin_token(4), elsewhere];
    assert_created(store, &new(batch)).await;
    assert_created(store, &new([token_of_all_projects(6)])).await;
    assert_eq!(store.create_tokens(&[]).await.expect("nothing to do"), []);
    let counts: Vec<_> = all_projects(store).await.iter().map(|listed| listed.tokens).collect();
    assert_eq!(counts, [3, 2, 0]);
}

/// A thousand tokens are one batch.
pub async fn a_thousand_tokens_are_one_batch(store: &Arc<dyn Store>) {
    let batch = new((0..1_000).map(|number| token(number, &["default"])));
    assert_eq!(store.create_tokens(&batch).await.expect("created").len(), 1_000);
    let query = TokenQuery::of_project(project_id("default"));
    assert_eq!(store.tokens(&query).await.expect("tokens").len(), 1_000);
}

/// If one token cannot be created, none is. Of several errors, the first in the order of the port is returned.
pub async fn a_batch_is_created_all_or_none(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::token(store, &token(1, &["default"])).await;
    let good = token(2, &["default"]);
    let unknown_project = ErrorKind::NotFound(Entity::Project(project_id("gone")));
    let cases = [
        (token(3, &["default", "gone"]), unknown_project),
        (
            working_in("gone", token(3, &["gone"])),
            ErrorKind::NotFound(Entity::Environment(environment("gone"))),
        ),
        (StoredToken { secret: secret(1), ..token(3, &["default"]) }, ErrorKind::Conflict(Entity::Secret)),
        (StoredToken { secret: secret(2), ..token(3, &["default"]) }, ErrorKind::Conflict(Entity::Secret)),
        (
            StoredToken { alias: Some(secret(2)), ..token(3, &["default"]) },
            ErrorKind::Conflict(Entity::Secret),
        ),
    ];
    for (faulty, expected) in cases {
        let batch = new([good.clone(), faulty, token(4, &["default"])]);
        assert_eq!(expect_error(store, store.create_tokens(&batch)).await, expected);
    }
    assert_created(store, &new([good])).await;
}

/// The quota counts the whole batch, per project and for all projects.
pub async fn the_quota_counts_the_whole_batch(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b"]).await;
    let limit = ErrorKind::LimitReached(2);
    let three = limited(2, [token(1, &["a"]), token(2, &["b", "a"]), token(3, &["a"])]);
    assert_eq!(expect_error(store, store.create_tokens(&three)).await, limit);
    assert_created(store, &limited(2, [token(1, &["a"]), token(2, &["b", "a"]), token(3, &["b"])])).await;
    assert_eq!(expect_error(store, store.create_tokens(&limited(2, [token(4, &["b"])]))).await, limit);

    let three = limited(2, (5..8).map(token_of_all_projects));
    assert_eq!(expect_error(store, store.create_tokens(&three)).await, limit);
    assert_created(store, &limited(2, (5..7).map(token_of_all_projects))).await;
    assert_created(store, &new([admin_token(8), admin_token(9)])).await;
}

/// Beside batches, single creations neither exceed the quota nor are refused too early, however much room there is in
/// the beginning.
pub async fn quotas_hold_for_batches_beside_single_creations(store: &Arc<dyn Store>) {
    const QUOTA: usize = 360;
    let singles = (0..8_u64).map(|task| (task * 40..(task + 1) * 40).map(|number| vec![number]).collect());
    let batches = (0..4_u64).map(|task| vec![(1_000 + 30 * task..1_030 + 30 * task).collect()]);
    let tasks: Vec<Vec<Vec<u64>>> = singles.chain(batches).collect();
    let calls = tasks.into_iter().map(|calls| {
        let store = Arc::clone(store);
        async move {
            let mut outcomes = Vec::new();
            for numbers in calls {
                let batch = numbers.iter().map(|number| token(*number, &["default"]));
                outcomes.push(store.create_tokens(&limited(360, batch)).await.map(|numbers| numbers.len()));
            }
            outcomes
        }
    });
    let outcomes = run_concurrently(calls).await.into_iter().flatten().collect();
    let (done, refused) = partition_results(outcomes);
    let created: usize = done.iter().sum();
    assert!(refused.iter().all(|refused| *refused == ErrorKind::LimitReached(360)), "{refused:?}");
    assert!(created <= QUOTA && !refused.is_empty(), "{created} were created, {} refused", refused.len());
    // 320 come one by one, and fit unless batches were before them.
    assert!(created > QUOTA - 30, "{created} were created, although there was room for a batch");
    assert_eq!(all_tokens(store.as_ref()).await.len(), created);
    assert_eq!(all_events(store.as_ref()).await.len(), created);
}
