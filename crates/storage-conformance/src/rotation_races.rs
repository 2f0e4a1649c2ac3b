//! Rotations at once, and beside removals: no secret is good that nobody was given, and none outlives its token.

use std::sync::Arc;

use latchkey_domain::{EventKind, ProjectId};
use latchkey_ports::{Entity, Rotation, Store};

use crate::{
    at_once::{at_once, one_wins},
    given,
    observed::{ServiceError, all_events, sorted},
    samples::{
        ROOM_ENOUGH, digest, event, moment, project_id, project_removal, secret, token, token_created,
        token_deleted,
    },
};

fn to(number: u64, new: u64) -> Rotation {
    let stored = token(number, &["default"]);
    let overlap_until = Some(moment(50));
    Rotation { token: stored.token.id, from: stored.secret.digest, to: secret(new), overlap_until }
}

async fn finds(store: &dyn Store, number: u64) -> bool {
    store.find_token_by_digest(&[digest(number)]).await.expect("a look-up").is_some()
}

/// Of two, and of 30, rotations from the same secret, one is done: its secret is good, the others' are not.
pub async fn one_rotation_wins(store: &Arc<dyn Store>) {
    for (number, calls) in [(1, 2), (2, 30)] {
        let stored = token(number, &["default"]);
        given::token(store.as_ref(), &stored).await;
        let new = move |call| 100 * number + call;
        let rotations = (0..calls).map(|call| {
            let store = Arc::clone(store);
            async move {
                let done =
                    store.rotate_token(&to(number, new(call)), &event(EventKind::ApiTokenRotated)).await;
                done.map(|_| new(call))
            }
        });
        let stale = ServiceError::Stale(Entity::Token(stored.token.id));
        let winner = one_wins(store.as_ref(), stale, rotations).await;
        for call in 0..calls {
            assert_eq!(finds(store.as_ref(), new(call)).await, new(call) == winner);
        }
        let found = store.find_token_by_digest(&[stored.secret.digest]).await.expect("a look-up");
        let found = found.expect("the retired secret");
        assert_eq!((found.stored.secret, found.secret_until), (secret(winner), Some(moment(50))));
    }
}

/// A token that is removed while it is rotated is gone with both secrets, whichever came first.
pub async fn a_rotation_beside_a_removal(store: &Arc<dyn Store>) {
    for number in 0..30 {
        let stored = token(number, &["default"]);
        given::token(store.as_ref(), &stored).await;
        let before = all_events(store.as_ref()).await.len();
        let calls = [number % 2 == 0, number % 2 == 1].map(|removes| {
            let (store, stored) = (Arc::clone(store), stored.clone());
            async move {
                if removes {
                    store.delete_token(stored.token.id, &token_deleted(&stored)).await
                } else {
                    let rotation = to(number, 100 + number);
                    store.rotate_token(&rotation, &event(EventKind::ApiTokenRotated)).await
                }
            }
        });
        let (done, refused) = sorted(at_once(calls).await);
        let gone = ServiceError::NotFound(Entity::Token(stored.token.id));
        assert!(refused.is_empty() || refused == [gone], "{refused:?}");
        assert_eq!(all_events(store.as_ref()).await.len() - before, done.len());
        assert!(!finds(store.as_ref(), number).await && !finds(store.as_ref(), 100 + number).await);
        assert_eq!(store.find_token(stored.token.id).await.expect("a look-up"), None);
    }
}

/// A rotation beside the removal of the token's only project: in the end there is neither token nor secret.
pub async fn a_rotation_beside_a_project_removal(store: &Arc<dyn Store>) {
    for number in 0..10 {
        let project: ProjectId = project_id(&format!("p{number}"));
        given::projects(store.as_ref(), &[project.as_str()]).await;
        let stored = token(number, &[project.as_str()]);
        given::token(store.as_ref(), &stored).await;
        let calls = [number % 2 == 0, number % 2 == 1].map(|removes| {
            let (store, project) = (Arc::clone(store), project.clone());
            async move {
                if removes {
                    store.delete_project(&project_removal(project.as_str())).await
                } else {
                    let rotation = to(number, 100 + number);
                    store.rotate_token(&rotation, &event(EventKind::ApiTokenRotated)).await
                }
            }
        });
        let (_, refused) = sorted(at_once(calls).await);
        let gone = ServiceError::NotFound(Entity::Token(stored.token.id));
        assert!(refused.is_empty() || refused == [gone], "{refused:?}");
        assert!(!finds(store.as_ref(), number).await && !finds(store.as_ref(), 100 + number).await);
        assert_eq!(store.find_project(&project).await.expect("a look-up"), None);
    }
}

/// One secret for a rotation and for new tokens at once: one of them has it then.
pub async fn one_secret_wins(store: &Arc<dyn Store>) {
    given::token(store.as_ref(), &token(1, &["default"])).await;
    let calls = (0..20).map(|call| {
        let store = Arc::clone(store);
        async move {
            if call == 0 {
                return store.rotate_token(&to(1, 500), &event(EventKind::ApiTokenRotated)).await;
            }
            let mut stored = token(call + 1, &["default"]);
            stored.secret = secret(500);
            store.create_token(&stored, ROOM_ENOUGH, &token_created(&stored)).await
        }
    });
    one_wins(store.as_ref(), ServiceError::Conflict(Entity::Secret), calls).await;
    assert!(finds(store.as_ref(), 500).await);
}
