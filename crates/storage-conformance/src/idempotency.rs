//! Changes that are made once: the answer is kept with the change, and under one key there is no second change.

use std::sync::Arc;

use latchkey_domain::{EventKind, NewEvent, Timestamp};
use latchkey_ports::{
    AnswerKey, Entity, KeptAnswer, KeyId, NewToken, Quota, Rotation, SealedBytes, SecretForm, Store,
    StoredToken,
};

use crate::{
    harness::{
        ErrorKind, all_events, all_tokens, error_kind, expect_error, expect_event, partition_results,
        run_concurrently,
    },
    samples::{event, extreme_moments, moment, new_token, project_id, secret, token, token_deleted},
    setup,
};

const DAY: i64 = 24 * 60 * 60 * 1_000;
/// How many calls with one key there are at once.
const AT_ONCE: u64 = 30;

fn key(number: u8) -> AnswerKey {
    AnswerKey([number; 32])
}

/// An answer under the key of this number.
fn answer(number: u8, at: Timestamp) -> KeptAnswer {
    let sealed: Box<[u8]> = Box::new([number, 0, 255]);
    KeptAnswer {
        key: key(number),
        fingerprint: [number.wrapping_add(1); 32],
        at,
        body: SealedBytes { key: KeyId([9; 4]), sealed },
    }
}

fn rotation(stored: &StoredToken, to: u64, overlap_until: Option<Timestamp>) -> (Rotation, NewEvent) {
    let rotation = Rotation {
        token: stored.token.id,
        from: stored.secret.digest,
        to: secret(to),
        overlap_until,
        update: None,
    };
    (rotation, event(EventKind::ApiTokenRotated))
}

async fn kept(store: &dyn Store, number: u8) -> Option<KeptAnswer> {
    store.find_answer(&key(number)).await.expect("an answer")
}

/// An answer of any size and moment is kept with the tokens that it shows.
pub async fn an_answer_is_kept_with_a_creation(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    assert_eq!(kept(store, 1).await, None);
    for (number, at) in (1..).zip(extreme_moments()) {
        let new = new_token(token(number.into(), &["default"]));
        let body = vec![number; if number == 1 { 0 } else { 1_500_000 }].into_boxed_slice();
        let mut answer = answer(number, at);
        answer.body.sealed = body;
        let create = async {
            let numbers = store.create_tokens_once(std::slice::from_ref(&new), &answer).await?;
            Ok(numbers[0])
        };
        expect_event(store, &new.event, create).await;
        assert_eq!(kept(store, number).await, Some(answer));
        assert_eq!(store.find_token(new.token.token.id).await.expect("a lookup"), Some(new.token));
    }
    assert_eq!(kept(store, 99).await, None);
}

/// An answer is kept with the rotation that it shows.
pub async fn an_answer_is_kept_with_a_rotation(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    let (rotation, event) = rotation(&stored, 2, Some(moment(50)));
    let answer = answer(1, moment(5));
    expect_event(store, &event, store.rotate_token_once(&rotation, &event, &answer)).await;
    assert_eq!(kept(store, 1).await, Some(answer));
    assert_eq!(all_tokens(store).await, [StoredToken { secret: secret(2), ..stored }]);
}

/// Under a key that has an answer, nothing is created or rotated, and the answer stays. A token that was deleted does not come
/// back.
pub async fn nothing_is_done_twice_under_one_key(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let first = answer(1, moment(5));
    let stored = token(1, &["default"]);
    let create = [new_token(stored.clone())];
    store.create_tokens_once(&create, &first).await.expect("created");
    let taken = ErrorKind::Conflict(Entity::Answer);
    let later = KeptAnswer { fingerprint: [7; 32], ..answer(1, moment(6)) };
    let other = [new_token(token(2, &["default"]))];
    assert_eq!(expect_error(store, store.create_tokens_once(&other, &later)).await, taken);
    let (rotation, event) = rotation(&stored, 3, None);
    assert_eq!(expect_error(store, store.rotate_token_once(&rotation, &event, &later)).await, taken);

    store.delete_token(stored.token.id, &token_deleted(&stored)).await.expect("removed");
    assert_eq!(expect_error(store, store.create_tokens_once(&create, &later)).await, taken);
    assert_eq!(kept(store, 1).await, Some(first));
    store.create_tokens_once(&other, &answer(2, moment(6))).await.expect("another key is another request");
}

/// With a change that is refused, no answer is kept, and the key can be used again.
pub async fn a_refused_change_keeps_no_answer(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    let missing = [new_token(token(2, &["gone"]))];
    let no_room = [NewToken { quota: Quota(1), ..new_token(token(3, &["default"])) }];
    let refusals = [
        (missing, ErrorKind::NotFound(Entity::Project(project_id("gone")))),
        (no_room, ErrorKind::LimitReached(1)),
        ([new_token(stored.clone())], ErrorKind::Conflict(Entity::Secret)),
    ];
    for (tokens, expected) in refusals {
        let refused = expect_error(store, store.create_tokens_once(&tokens, &answer(1, moment(5)))).await;
        // Of an id and a secret that exist both, a store may find either first.
        let expected_too = ErrorKind::Conflict(Entity::Token(stored.token.id));
        assert!(refused == expected || refused == expected_too, "{refused:?}");
    }
    let (mut stale, event) = rotation(&stored, 4, None);
    stale.from = secret(9).digest;
    let kept_with_it = answer(1, moment(5));
    let refused = store.rotate_token_once(&stale, &event, &kept_with_it);
    assert_eq!(expect_error(store, refused).await, ErrorKind::Stale(Entity::Token(stored.token.id)));
    assert_eq!(kept(store, 1).await, None);
    let (rotation, event) = rotation(&stored, 4, None);
    store.rotate_token_once(&rotation, &event, &answer(1, moment(5))).await.expect("rotated");
}

/// After a day, a key is free again.
pub async fn an_answer_is_replaced_after_a_day(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let new = |number| [new_token(token(number, &["default"]))];
    store.create_tokens_once(&new(1), &answer(1, moment(0))).await.expect("created");
    let early = answer(1, moment(DAY - 1));
    let refused = expect_error(store, store.create_tokens_once(&new(2), &early)).await;
    assert_eq!(refused, ErrorKind::Conflict(Entity::Answer));
    let late = KeptAnswer { fingerprint: [7; 32], ..answer(1, moment(DAY)) };
    store.create_tokens_once(&new(2), &late).await.expect("created");
    assert_eq!(kept(store, 1).await, Some(late));
}

/// A sweep forgets answers after a day.
pub async fn a_sweep_forgets_answers_after_a_day(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for (number, at) in [(1, 0), (2, 5)] {
        let new = [new_token(token(number.into(), &["default"]))];
        store.create_tokens_once(&new, &answer(number, moment(at))).await.expect("created");
    }
    assert_eq!(store.sweep(moment(DAY - 1)).await.expect("swept"), 0);
    assert_eq!(store.sweep(moment(DAY)).await.expect("swept"), 1);
    assert_eq!((kept(store, 1).await.is_some(), kept(store, 2).await.is_some()), (false, true));
}

/// Answers are counted by the master key under which they are sealed: after a day, as ended.
pub async fn answers_are_counted_by_master_key(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for (number, at) in [(1, 0), (2, 1), (3, DAY)] {
        let new = [new_token(token(number.into(), &["default"]))];
        store.create_tokens_once(&new, &answer(number, moment(at))).await.expect("created");
    }
    let counts = store.secrets_by_key(moment(DAY)).await.expect("counts");
    let count = counts[&(KeyId([9; 4]), SecretForm::Answer)];
    assert_eq!((count.good, count.ended), (2, 1));
}

/// Of concurrent creations with one key, one is carried out, also where the quota leaves room for one only.
pub async fn of_concurrent_creations_with_one_key_one_is_carried_out(store: &Arc<dyn Store>) {
    for (round, quota) in (1..).zip([u64::MAX, 100_000, 3]) {
        let events = all_events(store.as_ref()).await.len();
        let calls = (0..AT_ONCE).map(|call| {
            let store = Arc::clone(store);
            async move {
                let stored = token(u64::from(round) * 100 + call, &["default"]);
                let new = [NewToken { quota: Quota(quota), ..new_token(stored.clone()) }];
                store.create_tokens_once(&new, &answer(round, moment(5))).await.map(|_| stored)
            }
        });
        let (done, refused) = partition_results(run_concurrently(calls).await);
        let [made] = &done[..] else { panic!("{} were carried out", done.len()) };
        let may_be = [ErrorKind::Conflict(Entity::Answer), ErrorKind::LimitReached(quota)];
        assert!(refused.iter().all(|refusal| may_be.contains(refusal)), "{refused:?}");
        assert!(all_tokens(store.as_ref()).await.contains(made));
        assert_eq!(all_tokens(store.as_ref()).await.len(), usize::from(round));
        assert_eq!(all_events(store.as_ref()).await.len(), events + 1);
    }
}

/// Of concurrent rotations with one key, one is carried out.
pub async fn of_concurrent_rotations_with_one_key_one_is_carried_out(store: &Arc<dyn Store>) {
    let stored = token(1, &["default"]);
    setup::token(store.as_ref(), &stored).await;
    let calls = (0..AT_ONCE).map(|call| {
        let (store, stored) = (Arc::clone(store), stored.clone());
        async move {
            let (rotation, event) = rotation(&stored, 100 + call, Some(moment(50)));
            store.rotate_token_once(&rotation, &event, &answer(1, moment(5))).await.map(|_| rotation.to)
        }
    });
    let (done, refused) = partition_results(run_concurrently(calls).await);
    let [secret] = &done[..] else { panic!("{} were carried out", done.len()) };
    let expected = ErrorKind::Conflict(Entity::Answer);
    assert!(refused.iter().all(|refusal| *refusal == expected), "{refused:?}");
    assert_eq!(all_tokens(store.as_ref()).await, [StoredToken { secret: secret.clone(), ..stored }]);
}

/// Creations under different keys do not wait for each other's answer: all are carried out.
pub async fn concurrent_creations_with_other_keys_are_all_carried_out(store: &Arc<dyn Store>) {
    let calls = (1..=20_u8).map(|number| {
        let store = Arc::clone(store);
        async move {
            let new = [new_token(token(number.into(), &["default"]))];
            store.create_tokens_once(&new, &answer(number, moment(5))).await
        }
    });
    let outcomes = run_concurrently(calls).await;
    if let Some(refused) = outcomes.into_iter().find(Result::is_err) {
        panic!("{:?}", error_kind(refused));
    }
    assert_eq!(all_tokens(store.as_ref()).await.len(), 20);
}
