//! Secrets moved to another key beside concurrent changes: a change is never undone and a deleted entry
//! never comes back.

use std::sync::Arc;

use latchkey_domain::EventKind;
use latchkey_ports::{Rekeying, Rotation, SecretOf, Store};

use crate::{
    cancellation::{CALLS, assert_consistent, poll_and_drop},
    harness::run_concurrently,
    master_keys::{rekey, rekeying, rekeying_unsealed},
    samples::{
        digest, event, moment, project_id, project_removal, secret, session, token, token_deleted, user_named,
    },
    setup,
};

async fn finds_token(store: &dyn Store, number: u64) -> bool {
    store.find_token_by_digest(&[digest(number)]).await.expect("a lookup").is_some()
}

/// The token has the new secret of the rotation, whichever call came first. The old one is retired under
/// either key, or dropped if the rotation came second.
pub async fn a_rotation_beside_a_key_change_keeps_its_secret(store: &Arc<dyn Store>) {
    for number in 0..30 {
        let stored = token(number, &["default"]);
        setup::token(store.as_ref(), &stored).await;
        let (id, from) = (stored.token.id, stored.secret.digest);
        let calls = [number % 2 == 0, number % 2 == 1].map(|rotates| {
            let store = Arc::clone(store);
            async move {
                if rotates {
                    let overlap_until = Some(moment(50));
                    let rotation =
                        Rotation { token: id, from, to: secret(1_000 + number), overlap_until, update: None };
                    store.rotate_token(&rotation, &event(EventKind::ApiTokenRotated)).await.is_ok()
                } else {
                    let rekeying = rekeying(SecretOf::Token(id), number, 2_000 + number);
                    !rekey(store.as_ref(), &[rekeying]).await.is_empty()
                }
            }
        });
        let done = run_concurrently(calls).await;
        assert_eq!(done.iter().filter(|done| **done).count(), 1, "exactly one call must move the secret");
        let store = store.as_ref();
        let (rotated, rekeyed) =
            (finds_token(store, 1_000 + number).await, finds_token(store, 2_000 + number).await);
        assert!(rotated != rekeyed);
        // Retired, or moved to the other key.
        assert_eq!(finds_token(store, number).await, rotated);
    }
}

/// A token deleted during the key change is gone with both digests.
pub async fn a_token_deletion_beside_a_key_change_leaves_no_secret(store: &Arc<dyn Store>) {
    for number in 0..30 {
        let stored = token(number, &["default"]);
        setup::token(store.as_ref(), &stored).await;
        let calls = [number % 2 == 0, number % 2 == 1].map(|removes| {
            let (store, stored) = (Arc::clone(store), stored.clone());
            async move {
                if removes {
                    let removed = store.delete_token(stored.token.id, &token_deleted(&stored)).await;
                    removed.expect("removed");
                } else {
                    let rekeying = rekeying(SecretOf::Token(stored.token.id), number, 2_000 + number);
                    rekey(store.as_ref(), &[rekeying]).await;
                }
            }
        });
        run_concurrently(calls).await;
        assert!(
            !finds_token(store.as_ref(), number).await && !finds_token(store.as_ref(), 2_000 + number).await
        );
    }
}

/// Projects with many tokens are deleted while the secrets and retired secrets of these move; nothing of
/// them remains.
pub async fn a_project_deletion_beside_a_key_change_does_not_deadlock(store: &Arc<dyn Store>) {
    for round in 0..5_u64 {
        let project = format!("p{round}");
        setup::projects(store.as_ref(), &[&project]).await;
        let numbers: Vec<u64> = (round * 100..round * 100 + 20).collect();
        let mut all: Vec<Rekeying> = Vec::new();
        for number in &numbers {
            let stored = token(*number, &[&project]);
            setup::token(store.as_ref(), &stored).await;
            let (id, from, to) = (stored.token.id, stored.secret.digest, secret(1_000 + number));
            let rotation = Rotation { token: id, from, to, overlap_until: Some(moment(50)), update: None };
            setup::rotation(store.as_ref(), &rotation).await;
            all.push(rekeying(SecretOf::Token(id), 1_000 + number, 2_000 + number));
            all.push(rekeying_unsealed(SecretOf::Retired(id), *number, 3_000 + number));
        }
        let calls = [false, true, false].map(|removes| {
            let (store, project, all) = (Arc::clone(store), project.clone(), all.clone());
            async move {
                if removes {
                    store.delete_project(&project_removal(&project)).await.expect("removed");
                } else {
                    rekey(store.as_ref(), &all).await;
                }
            }
        });
        run_concurrently(calls).await;
        for number in numbers {
            for digest in [number, 1_000 + number, 2_000 + number, 3_000 + number] {
                assert!(!finds_token(store.as_ref(), digest).await, "{digest}");
            }
        }
        let found = store.find_project(&project_id(&project)).await.expect("a lookup");
        assert_eq!(found, None);
    }
}

/// A user is deleted while personal tokens and sessions move; nothing of them remains.
pub async fn a_user_deletion_beside_a_key_change_leaves_no_secret(store: &Arc<dyn Store>) {
    for round in 0..10_u64 {
        let user = setup::user(store.as_ref(), &user_named(&format!("u{round}"))).await;
        let mut all: Vec<Rekeying> = Vec::new();
        let numbers: Vec<u64> = (round * 100..round * 100 + 10).collect();
        for number in &numbers {
            let personal = setup::personal_token(store.as_ref(), user, &format!("t{number}"), *number).await;
            let signed_in = session(*number, user);
            setup::session(store.as_ref(), &signed_in, *number).await;
            all.push(rekeying_unsealed(SecretOf::PersonalToken(personal), *number, 2_000 + number));
            all.push(rekeying_unsealed(SecretOf::Session(signed_in.id), *number, 2_000 + number));
        }
        let calls = [false, true, false].map(|removes| {
            let (store, all) = (Arc::clone(store), all.clone());
            async move {
                if removes {
                    store.delete_user(user, &event(EventKind::UserDeleted)).await.expect("removed");
                } else {
                    rekey(store.as_ref(), &all).await;
                }
            }
        });
        run_concurrently(calls).await;
        for number in numbers {
            let digests = [digest(number), digest(2_000 + number)];
            let personal = store.find_personal_token_by_digest(&digests).await.expect("a lookup");
            let session = store.find_session_by_digest(&digests).await.expect("a lookup");
            assert!(personal.is_none() && session.is_none());
        }
    }
}

/// Two processes move the same secrets in opposite orders; each secret moves once.
pub async fn two_concurrent_key_changes_move_each_secret_once(store: &Arc<dyn Store>) {
    let mut all = Vec::new();
    for number in 0..50 {
        let stored = token(number, &["default"]);
        setup::token(store.as_ref(), &stored).await;
        all.push(rekeying(SecretOf::Token(stored.token.id), number, 2_000 + number));
    }
    let calls = [false, true].map(|backwards| {
        let (store, mut all) = (Arc::clone(store), all.clone());
        async move {
            if backwards {
                all.reverse();
            }
            rekey(store.as_ref(), &all).await
        }
    });
    let mut done = run_concurrently(calls).await.concat();
    done.sort();
    assert_eq!(done, (0..50).map(digest).collect::<Vec<_>>());
}

/// A dropped call moves all of its secrets or none.
pub async fn a_dropped_key_change_takes_effect_completely_or_not_at_all(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for turns in 0..CALLS {
        let (one, two) = (2 * turns, 2 * turns + 1);
        setup::tokens(store, &[token(one, &["default"]), token(two, &["default"])]).await;
        let of = |number| SecretOf::Token(token(number, &["default"]).token.id);
        let all = [rekeying(of(one), one, 2_000 + one), rekeying(of(two), two, 2_000 + two)];
        poll_and_drop(turns, store.rekey_secrets(&all)).await;
    }
    assert_consistent(store).await;
    // A write waits for calls that are still running, so the state after it is final.
    for turns in 0..CALLS {
        let (one, two) = (2 * turns, 2 * turns + 1);
        loop {
            let moved =
                async || (finds_token(store, 2_000 + one).await, finds_token(store, 2_000 + two).await);
            let (first, second) = moved().await;
            if moved().await == (first, second) {
                assert_eq!(first, second, "a call must move all of its secrets or none");
                assert_eq!(finds_token(store, one).await, !first);
                break;
            }
        }
    }
}
