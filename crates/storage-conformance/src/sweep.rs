//! What is forgotten in time, and what is not.

use std::{net::IpAddr, sync::Arc};

use latchkey_domain::{LoginFailures, Timestamp};
use latchkey_ports::{LoginKey, Rotation, Store};

use crate::{
    given,
    observed::{all_events, observe},
    samples::{at, digest, ending, extreme_moments, moment, secret, session, token, user_named},
};

async fn swept(store: &dyn Store, now: Timestamp) -> u64 {
    store.sweep(now).await.expect("swept")
}

async fn retired(store: &dyn Store, number: u64, until: Timestamp) {
    let stored = token(number, &["default"]);
    given::token(store, &stored).await;
    let overlap_until = Some(until);
    let (from, to) = (stored.secret.digest, secret(100 + number));
    given::rotation(store, &Rotation { token: stored.token.id, from, to, overlap_until }).await;
}

async fn finds_token(store: &dyn Store, number: u64) -> bool {
    store.find_token_by_digest(&[digest(number)]).await.expect("a look-up").is_some()
}

/// Where nothing has ended, nothing goes.
pub async fn nothing_to_forget(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for now in extreme_moments() {
        assert_eq!(swept(store, now).await, 0);
    }
}

/// A secret that was retired goes once its overlap is over; the present one and the token stay.
pub async fn retired_secrets(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    retired(store, 1, moment(10)).await;
    retired(store, 2, moment(20)).await;
    retired(store, 3, moment(30)).await;
    assert_eq!(swept(store, moment(9)).await, 0);
    assert_eq!(swept(store, moment(21)).await, 2);
    let found = [finds_token(store, 1).await, finds_token(store, 2).await, finds_token(store, 3).await];
    assert_eq!(found, [false, false, true]);
    for number in 101..=103 {
        assert!(finds_token(store, number).await, "the present secret {number}");
    }
    assert_eq!(swept(store, moment(21)).await, 0);
}

/// A session goes once it has ended, whoever's it is.
pub async fn sessions(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (given::user(store, &user_named("ed")).await, given::user(store, &user_named("al")).await);
    for (number, user) in [(1, ed), (2, al), (9, al)] {
        given::session(store, &session(number, user), number).await;
    }
    let end = |number| session(number, ed).expires_at;
    assert_eq!(swept(store, at(end(1).millis() - 1)).await, 0);
    assert_eq!(swept(store, at(end(9).millis() - 1)).await, 2);
    for number in [1, 2] {
        let found = store.find_session_by_digest(&[digest(number)]).await.expect("a look-up");
        assert_eq!(found, None, "the session {number}");
    }
    assert_eq!(store.sessions_of(ed).await.expect("sessions"), []);
    assert_eq!(store.sessions_of(al).await.expect("sessions"), [session(9, al)]);
}

/// Failures to sign in go once so much time has passed that they do not count any more.
pub async fn login_failures(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let address: IpAddr = [192, 0, 2, 7].into();
    let keys = [
        LoginKey::Account("ed".to_owned()),
        LoginKey::Address(address),
        LoginKey::AccountFrom("ed".to_owned(), address),
        LoginKey::Account("late".to_owned()),
    ];
    store.record_login_failure(&keys[..3], moment(0)).await.expect("noted");
    store.record_login_failure(&keys[3..], moment(5_000)).await.expect("noted");
    let over = i64::try_from(LoginFailures::FORGOTTEN_AFTER.as_millis()).expect("some minutes");
    assert_eq!(swept(store, moment(over - 1)).await, 0);
    assert_eq!(swept(store, moment(over + 1)).await, 3);
    let late = Some(LoginFailures { count: 1, last_at: moment(5_000) });
    assert_eq!(store.login_failures(&keys).await.expect("failures"), [None, None, None, late]);
}

/// All of it is counted together.
pub async fn everything_at_once(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = given::user(store, &user_named("ed")).await;
    retired(store, 1, moment(10)).await;
    given::session(store, &session(1, ed), 1).await;
    store.record_login_failure(&[LoginKey::Account("ed".to_owned())], moment(0)).await.expect("noted");
    let [.., last] = extreme_moments();
    assert_eq!(swept(store, last).await, 3);
    assert_eq!(swept(store, last).await, 0);
}

/// Whatever else has ended stays: tokens, personal tokens, the trail. No event is left.
pub async fn tokens_stay(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = given::user(store, &user_named("ed")).await;
    given::token(store, &ending(Some(moment(1)), token(1, &["default"]))).await;
    given::personal_token(store, ed, "long over", 1).await;
    let before = observe(store).await;
    let [.., last] = extreme_moments();
    assert_eq!(swept(store, last).await, 0);
    assert_eq!(observe(store).await, before);
    retired(store, 2, moment(10)).await;
    let events = all_events(store).await;
    assert_eq!(swept(store, last).await, 1);
    assert_eq!(all_events(store).await, events);
}
