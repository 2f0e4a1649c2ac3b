//! Passwords: how they are replaced and upgraded, and the sessions that they start and end.

use std::sync::Arc;

use latchkey_domain::{EventKind, PasswordHash, UserId};
use latchkey_ports::{Entity, PasswordChange, SessionStart, Store};

use crate::{
    harness::{
        ErrorKind, all_events, exactly_one_succeeds, expect_error, partition_results, run_concurrently,
    },
    samples::{event, new_password, password, session, session_start, user_named},
    setup,
};

fn start_with_password(user: UserId, number: u64, password: Option<PasswordHash>) -> SessionStart {
    SessionStart { password, ..session_start(&session(number, user), number) }
}

async fn set_password(store: &dyn Store, user: UserId, number: u64) {
    let event = event(EventKind::PasswordChanged);
    store.set_password(&new_password(user, number), &event).await.expect("a password is set");
}

/// A session is rejected if the verified password is not the stored one.
pub async fn a_session_starts_only_with_the_current_password(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    let started = event(EventKind::SessionStarted);
    let stale = ErrorKind::Stale(Entity::User(ed));
    let begin = async |password| {
        expect_error(store, store.start_session(&start_with_password(ed, 1, password), &started)).await
    };
    assert_eq!(begin(Some(password(1))).await, stale, "there is none");
    set_password(store, ed, 1).await;
    for other in [None, Some(password(2))] {
        assert_eq!(begin(other).await, stale);
    }
    store.start_session(&start_with_password(ed, 1, Some(password(1))), &started).await.expect("a session");
}

/// A password replaces the expected one, or any; of concurrent changes of the same password, one succeeds.
pub async fn a_password_replaces_only_the_expected_one(store: &Arc<dyn Store>) {
    let ed = setup::user(store.as_ref(), &user_named("ed")).await;
    let change =
        |before, after| PasswordChange { user: ed, before: Some(password(before)), after: password(after) };
    let changed = event(EventKind::PasswordChanged);
    let stale = ErrorKind::Stale(Entity::User(ed));
    let refused = expect_error(store.as_ref(), store.set_password(&change(1, 2), &changed)).await;
    assert_eq!(refused, stale, "there is none");
    set_password(store.as_ref(), ed, 1).await;
    store.set_password(&change(1, 2), &changed).await.expect("set");
    let refused = expect_error(store.as_ref(), store.set_password(&change(1, 3), &changed)).await;
    assert_eq!(refused, stale);
    let calls = (10..20).map(|number| {
        let (store, change, changed) = (Arc::clone(store), change(2, number), changed.clone());
        async move { store.set_password(&change, &changed).await }
    });
    exactly_one_succeeds(store.as_ref(), stale, calls).await;
}

/// A session started with the old password during the change ends with it, or is rejected.
pub async fn a_session_started_beside_a_password_change_does_not_outlive_it(store: &Arc<dyn Store>) {
    for round in 0..10 {
        let ed = setup::user(store.as_ref(), &user_named(&format!("u{round}"))).await;
        set_password(store.as_ref(), ed, 1).await;
        let calls = (0..4).map(|call| {
            let store = Arc::clone(store);
            async move {
                if call == round % 4 {
                    let changed = event(EventKind::PasswordChanged);
                    store.set_password(&new_password(ed, 2), &changed).await.map(|_| 0)
                } else {
                    let start = start_with_password(ed, 10 * round + call, Some(password(1)));
                    store.start_session(&start, &event(EventKind::SessionStarted)).await
                }
            }
        });
        let (_, refused) = partition_results(run_concurrently(calls).await);
        assert!(refused.iter().all(|one| *one == ErrorKind::Stale(Entity::User(ed))), "{refused:?}");
        assert_eq!(store.sessions_of(ed).await.expect("sessions"), []);
    }
}

/// Another hash of the same password ends no session and leaves no event.
pub async fn upgrading_a_password_hash_ends_no_session_and_leaves_no_event(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    set_password(store, ed, 1).await;
    let started = event(EventKind::SessionStarted);
    let start = start_with_password(ed, 1, Some(password(1)));
    store.start_session(&start, &started).await.expect("a session");
    let (sessions, events) = (store.sessions_of(ed).await.expect("sessions"), all_events(store).await);
    store.upgrade_password_hash(ed, &password(1), &password(2)).await.expect("upgraded");
    let account = store.find_account(ed).await.expect("an answer").expect("an account");
    assert_eq!(account.password, Some(password(2)));
    assert_eq!(store.sessions_of(ed).await.expect("sessions"), sessions);
    assert_eq!(all_events(store).await, events);
}

/// A hash that is not the expected one stays.
pub async fn only_the_expected_password_hash_is_upgraded(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    let upgrade =
        async |user| expect_error(store, store.upgrade_password_hash(user, &password(1), &password(9))).await;
    assert_eq!(upgrade(ed).await, ErrorKind::Stale(Entity::User(ed)), "there is none");
    set_password(store, ed, 2).await;
    assert_eq!(upgrade(ed).await, ErrorKind::Stale(Entity::User(ed)));
    let account = store.find_account(ed).await.expect("an answer").expect("an account");
    assert_eq!(account.password, Some(password(2)));
    let unknown = UserId(ed.0 + 1_000);
    assert_eq!(upgrade(unknown).await, ErrorKind::Stale(Entity::User(unknown)));
}
