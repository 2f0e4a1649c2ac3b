//! Failed logins, counted by account, by address, and by account and address.

use std::{net::IpAddr, sync::Arc};

use latchkey_domain::{LoginFailures, Timestamp};
use latchkey_ports::{LoginKey, Store};

use crate::{
    harness::{read_contents, run_concurrently},
    samples::{at, extreme_moments, moment},
};

fn account(name: &str) -> LoginKey {
    LoginKey::Account(name.to_owned())
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn from(name: &str, text: &str) -> LoginKey {
    LoginKey::AccountFrom(name.to_owned(), address(text))
}

async fn fail(store: &dyn Store, keys: &[LoginKey], now: Timestamp) {
    store.record_login_failure(keys, now).await.expect("recorded");
}

async fn failures(store: &dyn Store, keys: &[LoginKey]) -> Vec<Option<LoginFailures>> {
    store.login_failures(keys).await.expect("failures")
}

fn times(count: u32, last_at: Timestamp) -> LoginFailures {
    LoginFailures { count, last_at }
}

/// Returns keys that are all different.
fn distinct_keys() -> Vec<LoginKey> {
    let longest = "🎉".repeat(255);
    let mut keys: Vec<_> = ["ed", "e_", "ed ", "", "%", "Ed", "ød'\"\\", "ed\0", "192.0.2.7", &longest]
        .into_iter()
        .map(account)
        .collect();
    let addresses =
        ["192.0.2.7", "255.255.255.255", "::1", "::ffff:192.0.2.7", "2001:db8::1", "2001:db8:0:0:1::1"];
    keys.extend(addresses.map(|text| LoginKey::Address(address(text))));
    keys.extend([
        from("ed", "192.0.2.7"),
        from("ed", "::1"),
        from("", "192.0.2.7"),
        from("al", "::1"),
        from("192.0.2.7 ed", "::1"),
        from(&longest, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ]);
    keys
}

/// Without a failure there is no count; an empty request returns an empty list.
pub async fn an_unknown_key_has_no_failures(store: &Arc<dyn Store>) {
    assert_eq!(failures(store.as_ref(), &distinct_keys()).await, vec![None; distinct_keys().len()]);
    assert_eq!(failures(store.as_ref(), &[]).await, []);
    fail(store.as_ref(), &[], moment(0)).await;
    store.forget_login_failures(&[]).await.expect("forgotten");
}

/// Each key has its own count; the response has the order of the request, with repetitions.
pub async fn login_failures_are_counted_per_key(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let keys = distinct_keys();
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(failures(store, std::slice::from_ref(key)).await, [None], "{key:?}");
        for time in 0..=i64::try_from(number).expect("small") {
            fail(store, std::slice::from_ref(key), moment(time)).await;
        }
    }
    let expected = |number: usize| {
        let number = u32::try_from(number).expect("small");
        Some(times(number + 1, moment(number.into())))
    };
    let in_order: Vec<_> = (0..keys.len()).map(expected).collect();
    assert_eq!(failures(store, &keys).await, in_order);
    let backwards: Vec<_> = keys.iter().rev().cloned().collect();
    assert_eq!(failures(store, &backwards).await, in_order.into_iter().rev().collect::<Vec<_>>());
    let repeated = [keys[3].clone(), account("unknown"), keys[3].clone(), keys[1].clone()];
    assert_eq!(failures(store, &repeated).await, [expected(3), None, expected(3), expected(1)]);
}

/// One failure adds to the count of each key.
pub async fn a_login_failure_counts_for_several_keys(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let keys = distinct_keys();
    fail(store, &keys[2..4], moment(0)).await;
    fail(store, &keys, moment(5)).await;
    let expected = (0..keys.len()).map(|number| match number {
        2 | 3 => Some(times(2, moment(5))),
        _ => Some(times(1, moment(5))),
    });
    assert_eq!(failures(store, &keys).await, expected.collect::<Vec<_>>());
}

/// The count restarts after the period without a failure, and if the clock was set back by more than a
/// tolerance.
pub async fn old_login_failures_do_not_count(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let keys = [account("ed"), from("ed", "::1"), LoginKey::Address(address("::1"))];
    let over = i64::try_from(LoginFailures::FORGOTTEN_AFTER.as_millis()).expect("some minutes");
    let mut expected = None;
    let little = i64::try_from(LoginFailures::LONGEST_WAIT.as_millis()).expect("some seconds");
    let late = [4 * over, 4 * over - little, 4 * over - 2 * little - 1, 5 * over - 2 * little - 2, 4 * over];
    let early = [0, 1, over, over + 1, 2 * over, 3 * over, 3 * over - 5];
    for now in early.into_iter().chain(late).map(moment) {
        expected = Some(LoginFailures::and_another(expected, now));
        fail(store, &keys, now).await;
        assert_eq!(failures(store, &keys).await, [expected; 3], "at {now}");
    }
}

/// Times of all years are stored, in ascending and descending order.
pub async fn login_failures_of_all_years_are_recorded(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let key = [account("ed")];
    let mut expected = None;
    let backwards = extreme_moments().into_iter().rev();
    for now in extreme_moments().into_iter().chain(backwards) {
        expected = Some(LoginFailures::and_another(expected, now));
        fail(store, &key, now).await;
        assert_eq!(failures(store, &key).await, [expected], "at {now}");
    }
}

/// The count of a forgotten key restarts; other keys stay, and unknown keys are ignored.
pub async fn login_failures_are_forgotten_per_key(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let keys = distinct_keys();
    fail(store, &keys, moment(0)).await;
    let forgotten = [keys[0].clone(), account("unknown"), keys[17].clone(), keys[0].clone()];
    store.forget_login_failures(&forgotten).await.expect("forgotten");
    let remaining = failures(store, &keys).await;
    for (number, found) in remaining.into_iter().enumerate() {
        let expected = if [0, 17].contains(&number) { None } else { Some(times(1, moment(0))) };
        assert_eq!(found, expected, "{:?}", keys[number]);
    }
    fail(store, &keys[..1], moment(9)).await;
    assert_eq!(failures(store, &keys[..1]).await, [Some(times(1, moment(9)))]);
}

/// A failure records no event and changes nothing else.
pub async fn login_failures_record_no_event(store: &Arc<dyn Store>) {
    let before = read_contents(store.as_ref()).await;
    fail(store.as_ref(), &distinct_keys(), moment(0)).await;
    store.forget_login_failures(&distinct_keys()).await.expect("forgotten");
    assert_eq!(read_contents(store.as_ref()).await, before);
}

/// Of 30 concurrent failures none is lost, whatever the order of the keys.
pub async fn concurrent_login_failures_are_all_counted(store: &Arc<dyn Store>) {
    let keys = [account("ed"), LoginKey::Address(address("::1")), from("ed", "::1"), account("al")];
    let calls = (0..30).map(|call| {
        let store = Arc::clone(store);
        let mut keys = keys.clone();
        if call % 2 == 0 {
            keys.reverse();
        }
        async move { store.record_login_failure(&keys, moment(7)).await.expect("recorded") }
    });
    run_concurrently(calls).await;
    assert_eq!(failures(store.as_ref(), &keys).await, [Some(times(30, moment(7))); 4]);
}

/// 30 concurrent failures of different accounts from one address all count for the address.
pub async fn concurrent_login_failures_of_many_accounts_count_for_the_address(store: &Arc<dyn Store>) {
    let shared = LoginKey::Address(address("192.0.2.7"));
    let calls = (0..30).map(|call| {
        let store = Arc::clone(store);
        let name = format!("u{call}");
        let keys = [account(&name), shared.clone(), from(&name, "192.0.2.7")];
        async move { store.record_login_failure(&keys, at(5)).await.expect("recorded") }
    });
    run_concurrently(calls).await;
    let asked = [shared, account("u0"), account("u29"), from("u7", "192.0.2.7")];
    let expected =
        [Some(times(30, at(5))), Some(times(1, at(5))), Some(times(1, at(5))), Some(times(1, at(5)))];
    assert_eq!(failures(store.as_ref(), &asked).await, expected);
}
