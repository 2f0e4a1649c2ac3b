//! Secrets that get under another key beside other changes: what somebody changed stays changed, and what is gone is gone.

use std::sync::Arc;

use latchkey_domain::EventKind;
use latchkey_ports::{Rekeying, Rotation, SecretOf, Store};

use crate::{
    at_once::at_once,
    dropped_futures::{CALLS, is_whole, poll_and_drop},
    given,
    master_keys::{anew, bare, rekeyed},
    samples::{
        digest, event, moment, project_id, project_removal, secret, session, token, token_deleted, user_named,
    },
};

async fn finds(store: &dyn Store, number: u64) -> bool {
    store.find_token_by_digest(&[digest(number)]).await.expect("a look-up").is_some()
}

/// A token that is rotated meanwhile has the rotation's secret, whichever came first; the old one is retired under one key
/// or the other, or dropped where the rotation was overtaken.
pub async fn beside_a_rotation(store: &Arc<dyn Store>) {
    for number in 0..30 {
        let stored = token(number, &["default"]);
        given::token(store.as_ref(), &stored).await;
        let (id, from) = (stored.token.id, stored.secret.digest);
        let calls = [number % 2 == 0, number % 2 == 1].map(|rotates| {
            let store = Arc::clone(store);
            async move {
                if rotates {
                    let overlap_until = Some(moment(50));
                    let rotation = Rotation { token: id, from, to: secret(1_000 + number), overlap_until };
                    store.rotate_token(&rotation, &event(EventKind::ApiTokenRotated)).await.is_ok()
                } else {
                    let rekeying = anew(SecretOf::Token(id), number, 2_000 + number);
                    !rekeyed(store.as_ref(), &[rekeying]).await.is_empty()
                }
            }
        });
        let done = at_once(calls).await;
        assert_eq!(done.iter().filter(|done| **done).count(), 1, "one of both was faster");
        let store = store.as_ref();
        let (rotated, rekeyed) = (finds(store, 1_000 + number).await, finds(store, 2_000 + number).await);
        assert!(rotated != rekeyed);
        // Retired, or under another key.
        assert_eq!(finds(store, number).await, rotated);
    }
}

/// A token that is removed meanwhile is gone with both digests.
pub async fn beside_a_removal(store: &Arc<dyn Store>) {
    for number in 0..30 {
        let stored = token(number, &["default"]);
        given::token(store.as_ref(), &stored).await;
        let calls = [number % 2 == 0, number % 2 == 1].map(|removes| {
            let (store, stored) = (Arc::clone(store), stored.clone());
            async move {
                if removes {
                    let removed = store.delete_token(stored.token.id, &token_deleted(&stored)).await;
                    removed.expect("removed");
                } else {
                    let rekeying = anew(SecretOf::Token(stored.token.id), number, 2_000 + number);
                    rekeyed(store.as_ref(), &[rekeying]).await;
                }
            }
        });
        at_once(calls).await;
        assert!(!finds(store.as_ref(), number).await && !finds(store.as_ref(), 2_000 + number).await);
    }
}

/// Projects with many tokens go while all of these, and their retired secrets, get under another key: nothing is left of
/// them, and nobody waits for ever.
pub async fn beside_a_project_removal(store: &Arc<dyn Store>) {
    for round in 0..5_u64 {
        let project = format!("p{round}");
        given::projects(store.as_ref(), &[&project]).await;
        let numbers: Vec<u64> = (round * 100..round * 100 + 20).collect();
        let mut all: Vec<Rekeying> = Vec::new();
        for number in &numbers {
            let stored = token(*number, &[&project]);
            given::token(store.as_ref(), &stored).await;
            let (id, from, to) = (stored.token.id, stored.secret.digest, secret(1_000 + number));
            let rotation = Rotation { token: id, from, to, overlap_until: Some(moment(50)) };
            given::rotation(store.as_ref(), &rotation).await;
            all.push(anew(SecretOf::Token(id), 1_000 + number, 2_000 + number));
            all.push(bare(SecretOf::Retired(id), *number, 3_000 + number));
        }
        let calls = [false, true, false].map(|removes| {
            let (store, project, all) = (Arc::clone(store), project.clone(), all.clone());
            async move {
                if removes {
                    store.delete_project(&project_removal(&project)).await.expect("removed");
                } else {
                    rekeyed(store.as_ref(), &all).await;
                }
            }
        });
        at_once(calls).await;
        for number in numbers {
            for digest in [number, 1_000 + number, 2_000 + number, 3_000 + number] {
                assert!(!finds(store.as_ref(), digest).await, "{digest}");
            }
        }
        let found = store.find_project(&project_id(&project)).await.expect("a look-up");
        assert_eq!(found, None);
    }
}

/// A user goes while personal tokens and sessions get under another key: nothing is left of them.
pub async fn beside_the_end_of_a_user(store: &Arc<dyn Store>) {
    for round in 0..10_u64 {
        let user = given::user(store.as_ref(), &user_named(&format!("u{round}"))).await;
        let mut all: Vec<Rekeying> = Vec::new();
        let numbers: Vec<u64> = (round * 100..round * 100 + 10).collect();
        for number in &numbers {
            let personal = given::personal_token(store.as_ref(), user, &format!("t{number}"), *number).await;
            let signed_in = session(*number, user);
            given::session(store.as_ref(), &signed_in, *number).await;
            all.push(bare(SecretOf::PersonalToken(personal), *number, 2_000 + number));
            all.push(bare(SecretOf::Session(signed_in.id), *number, 2_000 + number));
        }
        let calls = [false, true, false].map(|removes| {
            let (store, all) = (Arc::clone(store), all.clone());
            async move {
                if removes {
                    store.delete_user(user, &event(EventKind::UserDeleted)).await.expect("removed");
                } else {
                    rekeyed(store.as_ref(), &all).await;
                }
            }
        });
        at_once(calls).await;
        for number in numbers {
            let digests = [digest(number), digest(2_000 + number)];
            let personal = store.find_personal_token_by_digest(&digests).await.expect("a look-up");
            let session = store.find_session_by_digest(&digests).await.expect("a look-up");
            assert!(personal.is_none() && session.is_none());
        }
    }
}

/// Two processes that move the same secrets, in opposite orders: each secret is moved once.
pub async fn two_at_once(store: &Arc<dyn Store>) {
    let mut all = Vec::new();
    for number in 0..50 {
        let stored = token(number, &["default"]);
        given::token(store.as_ref(), &stored).await;
        all.push(anew(SecretOf::Token(stored.token.id), number, 2_000 + number));
    }
    let calls = [false, true].map(|backwards| {
        let (store, mut all) = (Arc::clone(store), all.clone());
        async move {
            if backwards {
                all.reverse();
            }
            rekeyed(store.as_ref(), &all).await
        }
    });
    let mut done = at_once(calls).await.concat();
    done.sort();
    assert_eq!(done, (0..50).map(digest).collect::<Vec<_>>());
}

/// Calls that nobody waits for any more move all of their secrets or none.
pub async fn dropped(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for turns in 0..CALLS {
        let (one, two) = (2 * turns, 2 * turns + 1);
        given::tokens(store, &[token(one, &["default"]), token(two, &["default"])]).await;
        let of = |number| SecretOf::Token(token(number, &["default"]).token.id);
        let all = [anew(of(one), one, 2_000 + one), anew(of(two), two, 2_000 + two)];
        poll_and_drop(turns, store.rekey_secrets(&all)).await;
    }
    is_whole(store).await;
    // Whoever is still at work is done before the next who writes; what is seen then stays.
    for turns in 0..CALLS {
        let (one, two) = (2 * turns, 2 * turns + 1);
        loop {
            let moved = async || (finds(store, 2_000 + one).await, finds(store, 2_000 + two).await);
            let (first, second) = moved().await;
            if moved().await == (first, second) {
                assert_eq!(first, second, "half of a call");
                assert_eq!(finds(store, one).await, !first);
                break;
            }
        }
    }
}
