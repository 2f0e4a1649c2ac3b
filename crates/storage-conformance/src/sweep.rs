//! What a sweep removes, and what it keeps.

use std::{net::IpAddr, sync::Arc};

use latchkey_domain::{LoginFailures, Timestamp};
use latchkey_ports::{LoginKey, Rotation, Store};

use crate::{
    harness::{all_events, read_contents},
    samples::{at, digest, ending, extreme_moments, moment, secret, session, token, user_named},
    setup,
};

async fn sweep(store: &dyn Store, now: Timestamp) -> u64 {
    store.sweep(now).await.expect("swept")
}

async fn retire_secret(store: &dyn Store, number: u64, until: Timestamp) {
    let stored = token(number, &["default"]);
    setup::token(store, &stored).await;
    let overlap_until = Some(until);
    let (from, to) = (stored.secret.digest, secret(100 + number));
    setup::rotation(store, &Rotation { token: stored.token.id, from, to, overlap_until, update: None }).await;
}

async fn finds_token(store: &dyn Store, number: u64) -> bool {
    store.find_token_by_digest(&[digest(number)]).await.expect("a lookup").is_some()
}

/// Where nothing has ended, a sweep removes nothing.
pub async fn a_sweep_removes_nothing_that_is_still_valid(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for now in extreme_moments() {
        assert_eq!(sweep(store, now).await, 0);
    }
}

/// A retired secret is removed when its overlap is over; the current secret and the token stay.
pub async fn a_sweep_removes_retired_secrets_after_their_overlap(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    retire_secret(store, 1, moment(10)).await;
    retire_secret(store, 2, moment(20)).await;
    retire_secret(store, 3, moment(30)).await;
    assert_eq!(sweep(store, moment(9)).await, 0);
    assert_eq!(sweep(store, moment(21)).await, 2);
    let found = [finds_token(store, 1).await, finds_token(store, 2).await, finds_token(store, 3).await];
    assert_eq!(found, [false, false, true]);
    for number in 101..=103 {
        assert!(finds_token(store, number).await, "the present secret {number}");
    }
    assert_eq!(sweep(store, moment(21)).await, 0);
}

/// Expired sessions of all users are removed.
pub async fn a_sweep_removes_expired_sessions(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (setup::user(store, &user_named("ed")).await, setup::user(store, &user_named("al")).await);
    for (number, user) in [(1, ed), (2, al), (9, al)] {
        setup::session(store, &session(number, user), number).await;
    }
    let end = |number| session(number, ed).expires_at;
    assert_eq!(sweep(store, at(end(1).millis() - 1)).await, 0);
    assert_eq!(sweep(store, at(end(9).millis() - 1)).await, 2);
    for number in [1, 2] {
        let found = store.find_session_by_digest(&[digest(number)]).await.expect("a lookup");
        assert_eq!(found, None, "the session {number}");
    }
    assert_eq!(store.sessions_of(ed).await.expect("sessions"), []);
    assert_eq!(store.sessions_of(al).await.expect("sessions"), [session(9, al)]);
}

/// Login failures are removed when they are too old to count.
pub async fn a_sweep_removes_login_failures_that_no_longer_count(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let address: IpAddr = [192, 0, 2, 7].into();
    let keys = [
        LoginKey::Account("ed".to_owned()),
        LoginKey::Address(address),
        LoginKey::AccountFrom("ed".to_owned(), address),
        LoginKey::Account("late".to_owned()),
    ];
    store.record_login_failure(&keys[..3], moment(0)).await.expect("recorded");
    store.record_login_failure(&keys[3..], moment(5_000)).await.expect("recorded");
    let over = i64::try_from(LoginFailures::FORGOTTEN_AFTER.as_millis()).expect("some minutes");
    assert_eq!(sweep(store, moment(over - 1)).await, 0);
    assert_eq!(sweep(store, moment(over + 1)).await, 3);
    let late = Some(LoginFailures { count: 1, last_at: moment(5_000) });
    assert_eq!(store.login_failures(&keys).await.expect("failures"), [None, None, None, late]);
}

/// A sweep returns one total for all that it removed.
pub async fn a_sweep_returns_the_total_of_removed_entries(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    retire_secret(store, 1, moment(10)).await;
    setup::session(store, &session(1, ed), 1).await;
    store.record_login_failure(&[LoginKey::Account("ed".to_owned())], moment(0)).await.expect("recorded");
    let [.., last] = extreme_moments();
    assert_eq!(sweep(store, last).await, 3);
    assert_eq!(sweep(store, last).await, 0);
}

/// Expired tokens, personal tokens and events stay, and a sweep records no event.
pub async fn a_sweep_keeps_tokens_and_events(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    setup::token(store, &ending(Some(moment(1)), token(1, &["default"]))).await;
    setup::personal_token(store, ed, "long over", 1).await;
    let before = read_contents(store).await;
    let [.., last] = extreme_moments();
    assert_eq!(sweep(store, last).await, 0);
    assert_eq!(read_contents(store).await, before);
    retire_secret(store, 2, moment(10)).await;
    let events = all_events(store).await;
    assert_eq!(sweep(store, last).await, 1);
    assert_eq!(all_events(store).await, events);
}
