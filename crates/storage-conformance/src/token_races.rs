//! Concurrent rotations and creations of tokens: quotas hold, no unreturned secret is valid, and none
//! outlives its token.

use std::sync::Arc;

use latchkey_domain::{EventId, EventKind, ProjectId};
use latchkey_ports::{Entity, Quota, Rotation, Store, StoreError, StoredToken, TokenQuery};

use crate::{
    harness::{ErrorKind, all_events, exactly_one_succeeds, partition_results, run_concurrently},
    samples::{
        AMPLE_QUOTA, admin_token, digest, event, moment, new_token, project_id, project_removal, secret,
        token, token_created, token_deleted, token_of_all_projects,
    },
    setup,
};

fn rotation_to(number: u64, new: u64) -> Rotation {
    let stored = token(number, &["default"]);
    let overlap_until = Some(moment(50));
    Rotation {
        token: stored.token.id,
        from: stored.secret.digest,
        to: secret(new),
        overlap_until,
        update: None,
    }
}

async fn finds_token(store: &dyn Store, number: u64) -> bool {
    store.find_token_by_digest(&[digest(number)]).await.expect("a lookup").is_some()
}

/// Of 2 and of 30 concurrent rotations from the same secret, one succeeds; only its new secret is valid.
pub async fn one_of_concurrent_rotations_succeeds(store: &Arc<dyn Store>) {
    for (number, calls) in [(1, 2), (2, 30)] {
        let stored = token(number, &["default"]);
        setup::token(store.as_ref(), &stored).await;
        let new = move |call| 100 * number + call;
        let rotations = (0..calls).map(|call| {
            let store = Arc::clone(store);
            async move {
                let done = store
                    .rotate_token(&rotation_to(number, new(call)), &event(EventKind::ApiTokenRotated))
                    .await;
                done.map(|_| new(call))
            }
        });
        let stale = ErrorKind::Stale(Entity::Token(stored.token.id));
        let winner = exactly_one_succeeds(store.as_ref(), stale, rotations).await;
        for call in 0..calls {
            assert_eq!(finds_token(store.as_ref(), new(call)).await, new(call) == winner);
        }
        let found = store.find_token_by_digest(&[stored.secret.digest]).await.expect("a lookup");
        let found = found.expect("the retired secret");
        assert_eq!((found.stored.secret, found.secret_until), (secret(winner), Some(moment(50))));
    }
}

/// A token deleted while it is rotated is gone with both secrets, whichever call came first.
pub async fn a_rotation_beside_a_deletion_leaves_no_secret(store: &Arc<dyn Store>) {
    for number in 0..30 {
        let stored = token(number, &["default"]);
        setup::token(store.as_ref(), &stored).await;
        let before = all_events(store.as_ref()).await.len();
        let calls = [number % 2 == 0, number % 2 == 1].map(|removes| {
            let (store, stored) = (Arc::clone(store), stored.clone());
            async move {
                if removes {
                    store.delete_token(stored.token.id, &token_deleted(&stored)).await
                } else {
                    let rotation = rotation_to(number, 100 + number);
                    store.rotate_token(&rotation, &event(EventKind::ApiTokenRotated)).await
                }
            }
        });
        let (done, refused) = partition_results(run_concurrently(calls).await);
        let deleted = ErrorKind::NotFound(Entity::Token(stored.token.id));
        assert!(refused.is_empty() || refused == [deleted], "{refused:?}");
        assert_eq!(all_events(store.as_ref()).await.len() - before, done.len());
        assert!(
            !finds_token(store.as_ref(), number).await && !finds_token(store.as_ref(), 100 + number).await
        );
        assert_eq!(store.find_token(stored.token.id).await.expect("a lookup"), None);
    }
}

/// When the only project of a token is deleted while the token is rotated, neither token nor secret
/// remains.
pub async fn a_rotation_beside_a_project_deletion_leaves_no_secret(store: &Arc<dyn Store>) {
    for number in 0..10 {
        let project: ProjectId = project_id(&format!("p{number}"));
        setup::projects(store.as_ref(), &[project.as_str()]).await;
        let stored = token(number, &[project.as_str()]);
        setup::token(store.as_ref(), &stored).await;
        let calls = [number % 2 == 0, number % 2 == 1].map(|removes| {
            let (store, project) = (Arc::clone(store), project.clone());
            async move {
                if removes {
                    store.delete_project(&project_removal(project.as_str())).await
                } else {
                    let rotation = rotation_to(number, 100 + number);
                    store.rotate_token(&rotation, &event(EventKind::ApiTokenRotated)).await
                }
            }
        });
        let (_, refused) = partition_results(run_concurrently(calls).await);
        let deleted = ErrorKind::NotFound(Entity::Token(stored.token.id));
        assert!(refused.is_empty() || refused == [deleted], "{refused:?}");
        assert!(
            !finds_token(store.as_ref(), number).await && !finds_token(store.as_ref(), 100 + number).await
        );
        assert_eq!(store.find_project(&project).await.expect("a lookup"), None);
    }
}

/// Of one rotation and several creations with the same secret, one succeeds.
pub async fn one_of_a_concurrent_rotation_and_creations_gets_the_secret(store: &Arc<dyn Store>) {
    setup::token(store.as_ref(), &token(1, &["default"])).await;
    let calls = (0..20).map(|call| {
        let store = Arc::clone(store);
        async move {
            if call == 0 {
                return store.rotate_token(&rotation_to(1, 500), &event(EventKind::ApiTokenRotated)).await;
            }
            let mut stored = token(call + 1, &["default"]);
            stored.secret = secret(500);
            store.create_token(&stored, AMPLE_QUOTA, &token_created(&stored)).await
        }
    });
    exactly_one_succeeds(store.as_ref(), ErrorKind::Conflict(Entity::Secret), calls).await;
    assert!(finds_token(store.as_ref(), 500).await);
}

const CALLS: u64 = 30;
const ROOM: u64 = 7;

async fn create_concurrently(
    store: &Arc<dyn Store>,
    tokens: Vec<StoredToken>,
) -> Vec<Result<EventId, StoreError>> {
    let calls = tokens.into_iter().map(|stored| {
        let store = Arc::clone(store);
        async move { store.create_token(&stored, Quota(ROOM), &token_created(&stored)).await }
    });
    run_concurrently(calls).await
}

/// Creates the tokens concurrently, all counted against the same quota, and expects as many tokens and
/// events as the quota allows.
async fn assert_quota_is_filled(store: &Arc<dyn Store>, tokens: Vec<StoredToken>) {
    let before = all_events(store.as_ref()).await.len();
    let ids: Vec<_> = tokens.iter().map(|stored| stored.token.id).collect();
    let (existing, refused) = partition_results(create_concurrently(store, tokens).await);
    assert_eq!(existing.len(), 7, "the quota is {ROOM}");
    assert!(refused.iter().all(|refusal| *refusal == ErrorKind::LimitReached(ROOM)), "{refused:?}");
    let mut found = 0;
    for id in ids {
        found += usize::from(store.find_token(id).await.expect("a lookup").is_some());
    }
    assert_eq!(found, 7, "tokens that were refused are there");
    assert_eq!(all_events(store.as_ref()).await.len() - before, 7, "as many events as tokens");
}

async fn count_listed(store: &dyn Store, project: &str) -> usize {
    store.tokens(&TokenQuery::of_project(project_id(project))).await.expect("tokens").len()
}

/// 30 concurrent tokens for one project with a quota of 7.
pub async fn the_quota_of_a_project_holds_under_concurrency(store: &Arc<dyn Store>) {
    assert_quota_is_filled(store, (0..CALLS).map(|number| token(number, &["default"])).collect()).await;
    assert_eq!(count_listed(store.as_ref(), "default").await, 7);
}

/// 30 concurrent tokens that name the same three projects in different orders.
pub async fn the_quota_of_several_projects_holds_under_concurrency(store: &Arc<dyn Store>) {
    setup::projects(store.as_ref(), &["a", "b", "c"]).await;
    let orders: [&[&str]; 3] = [&["a", "b", "c"], &["c", "b", "a"], &["b", "c", "a"]];
    let tokens = (0_u64..).zip(orders.into_iter().cycle()).take(30);
    assert_quota_is_filled(store, tokens.map(|(number, order)| token(number, order)).collect()).await;
    for project in ["a", "b", "c"] {
        assert_eq!(count_listed(store.as_ref(), project).await, 7, "in {project}");
    }
}

/// 30 concurrent tokens of all projects, half of them admin tokens.
pub async fn the_quota_of_all_projects_holds_under_concurrency(store: &Arc<dyn Store>) {
    let tokens = (0..CALLS).map(|number| match number % 2 {
        0 => token_of_all_projects(number),
        _ => admin_token(number),
    });
    assert_quota_is_filled(store, tokens.collect()).await;
}

/// 30 concurrent tokens that name one of two projects or both: neither project exceeds its quota, and every
/// error is a full project.
pub async fn the_quota_of_overlapping_projects_holds_under_concurrency(store: &Arc<dyn Store>) {
    setup::projects(store.as_ref(), &["a", "b"]).await;
    let scopes: [&[&str]; 4] = [&["a"], &["b"], &["b", "a"], &["a", "b"]];
    let tokens = (0_u64..).zip(scopes.into_iter().cycle()).take(30);
    let tokens = tokens.map(|(number, projects)| token(number, projects)).collect();
    let (existing, refused) = partition_results(create_concurrently(store, tokens).await);
    assert_eq!(existing.len() + refused.len(), 30);
    assert!(refused.iter().all(|refusal| *refusal == ErrorKind::LimitReached(ROOM)), "{refused:?}");
    // Each scope is requested seven times or more, so both projects are full at the end.
    assert_eq!((count_listed(store.as_ref(), "a").await, count_listed(store.as_ref(), "b").await), (7, 7));
    let events = all_events(store.as_ref()).await.len();
    assert_eq!(events, existing.len() + 2, "one event per project and per stored token");
}

/// 7 concurrent tokens each for three projects and for all projects succeed.
pub async fn quotas_are_independent_under_concurrency(store: &Arc<dyn Store>) {
    setup::projects(store.as_ref(), &["a", "b"]).await;
    let tokens = (0..4 * ROOM).map(|number| match number % 4 {
        0 => token(number, &["default"]),
        1 => token(number, &["a"]),
        2 => token(number, &["b"]),
        _ => token_of_all_projects(number),
    });
    let (existing, refused) = partition_results(create_concurrently(store, tokens.collect()).await);
    assert_eq!((existing.len(), refused), (28, vec![]));
}

/// Of 10 concurrent calls with different first tokens, one creates all of its tokens and the others return
/// false.
pub async fn one_of_concurrent_calls_creates_the_first_tokens(store: &Arc<dyn Store>) {
    let calls = (0..10).map(|caller| {
        let store = Arc::clone(store);
        let pair = [admin_token(10 * caller), token(10 * caller + 1, &["default"])];
        async move { (caller, store.create_first_tokens(&pair.map(new_token)).await.expect("an answer")) }
    });
    let outcomes = run_concurrently(calls).await;
    let winners: Vec<u64> =
        outcomes.iter().filter(|(_, existing)| *existing).map(|(caller, _)| *caller).collect();
    let [winner] = winners[..] else { panic!("one must win, not {winners:?}") };
    for caller in 0..10 {
        for stored in [admin_token(10 * caller), token(10 * caller + 1, &["default"])] {
            let found = store.find_token(stored.token.id).await.expect("a lookup");
            assert_eq!(found.is_some(), caller == winner, "{caller}, where {winner} won");
        }
    }
    assert_eq!(all_events(store.as_ref()).await.len(), 2);
}
