//! Passwords that change while somebody signs in by them.

use std::sync::Arc;

use latchkey_domain::{EventKind, PasswordHash, UserId};
use latchkey_ports::{Entity, PasswordChange, SessionStart, Store};

use crate::{
    at_once::{at_once, one_wins},
    given,
    observed::{ServiceError, all_events, refusal, sorted},
    samples::{event, new_password, password, session, session_start, user_named},
};

fn start(user: UserId, number: u64, password: Option<PasswordHash>) -> SessionStart {
    SessionStart { password, ..session_start(&session(number, user), number) }
}

async fn set(store: &dyn Store, user: UserId, number: u64) {
    let event = event(EventKind::PasswordChanged);
    store.set_password(&new_password(user, number), &event).await.expect("a password is set");
}

/// Whoever checked another password than the one that is kept begins no session.
pub async fn a_session_begins_by_the_password_that_is(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = given::user(store, &user_named("ed")).await;
    let started = event(EventKind::SessionStarted);
    let stale = ServiceError::Stale(Entity::User(ed));
    let begin = async |password| refusal(store, store.start_session(&start(ed, 1, password), &started)).await;
    assert_eq!(begin(Some(password(1))).await, stale, "there is none");
    set(store, ed, 1).await;
    for other in [None, Some(password(2))] {
        assert_eq!(begin(other).await, stale);
    }
    store.start_session(&start(ed, 1, Some(password(1))), &started).await.expect("a session");
}

/// A password takes the place of the one that was seen, or of whichever there is; of two that saw the same one, one does.
pub async fn a_password_is_replaced_that_is_the_one_seen(store: &Arc<dyn Store>) {
    let ed = given::user(store.as_ref(), &user_named("ed")).await;
    let change =
        |before, after| PasswordChange { user: ed, before: Some(password(before)), after: password(after) };
    let changed = event(EventKind::PasswordChanged);
    let stale = ServiceError::Stale(Entity::User(ed));
    let refused = refusal(store.as_ref(), store.set_password(&change(1, 2), &changed)).await;
    assert_eq!(refused, stale, "there is none");
    set(store.as_ref(), ed, 1).await;
    store.set_password(&change(1, 2), &changed).await.expect("set");
    let refused = refusal(store.as_ref(), store.set_password(&change(1, 3), &changed)).await;
    assert_eq!(refused, stale);
    let calls = (10..20).map(|number| {
        let (store, change, changed) = (Arc::clone(store), change(2, number), changed.clone());
        async move { store.set_password(&change, &changed).await }
    });
    one_wins(store.as_ref(), stale, calls).await;
}

/// A session that begins by a password while that is replaced does not begin, or ends with it.
pub async fn a_replaced_password_opens_no_session(store: &Arc<dyn Store>) {
    for round in 0..10 {
        let ed = given::user(store.as_ref(), &user_named(&format!("u{round}"))).await;
        set(store.as_ref(), ed, 1).await;
        let calls = (0..4).map(|call| {
            let store = Arc::clone(store);
            async move {
                if call == round % 4 {
                    let changed = event(EventKind::PasswordChanged);
                    store.set_password(&new_password(ed, 2), &changed).await.map(|_| 0)
                } else {
                    let start = start(ed, 10 * round + call, Some(password(1)));
                    store.start_session(&start, &event(EventKind::SessionStarted)).await
                }
            }
        });
        let (_, refused) = sorted(at_once(calls).await);
        assert!(refused.iter().all(|one| *one == ServiceError::Stale(Entity::User(ed))), "{refused:?}");
        assert_eq!(store.sessions_of(ed).await.expect("sessions"), []);
    }
}

/// Another hash of the same password ends no session and leaves no event.
pub async fn an_upgraded_hash_ends_nothing_and_leaves_no_event(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = given::user(store, &user_named("ed")).await;
    set(store, ed, 1).await;
    let started = event(EventKind::SessionStarted);
    store.start_session(&start(ed, 1, Some(password(1))), &started).await.expect("a session");
    let (sessions, events) = (store.sessions_of(ed).await.expect("sessions"), all_events(store).await);
    store.upgrade_password_hash(ed, &password(1), &password(2)).await.expect("upgraded");
    let account = store.find_account(ed).await.expect("an answer").expect("an account");
    assert_eq!(account.password, Some(password(2)));
    assert_eq!(store.sessions_of(ed).await.expect("sessions"), sessions);
    assert_eq!(all_events(store).await, events);
}

/// A hash that is no longer the one that was seen is left alone.
pub async fn only_the_hash_that_was_seen_is_upgraded(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = given::user(store, &user_named("ed")).await;
    let upgrade =
        async |user| refusal(store, store.upgrade_password_hash(user, &password(1), &password(9))).await;
    assert_eq!(upgrade(ed).await, ServiceError::Stale(Entity::User(ed)), "there is none");
    set(store, ed, 2).await;
    assert_eq!(upgrade(ed).await, ServiceError::Stale(Entity::User(ed)));
    let account = store.find_account(ed).await.expect("an answer").expect("an account");
    assert_eq!(account.password, Some(password(2)));
    let unknown = UserId(ed.0 + 1_000);
    assert_eq!(upgrade(unknown).await, ServiceError::Stale(Entity::User(unknown)));
}
