//! A system clock that is set: an hour back, a year forward, and right again, while the server runs.

use std::fs;

use latchkey_testkit::{
    env::{FAR_FUTURE, Store, TestEnv},
    process::find,
    raw_http::Request,
    server::{Server, TOKENS},
    wait::until_true,
};
use serde_json::json;

use super::{creation, verify};

/// The library that shows programs another time, from the package `faketime`.
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// Creates a token that expires at that time; returns its secret.
fn token_until(server: &Server, expires_at: &str) -> String {
    let body = json!({ "tokenName": "expires", "type": "client", "expiresAt": expires_at });
    let response = server.as_admin(Request::post(TOKENS, &body));
    assert_eq!(response.status, 201, "{}", response.text());
    response.json()["secret"].as_str().expect("a secret").to_owned()
}

/// Returns the time that a new token is given, as the wire writes it.
fn time_of(server: &Server) -> String {
    let response = server.as_admin(creation("what time is it"));
    assert_eq!(response.status, 201, "{}", response.text());
    response.json()["createdAt"].as_str().expect("a time").to_owned()
}

fn a_clock_that_is_set(store: Store) {
    assert!(find("faketime").is_some(), "on Debian: apt-get install -y faketime");
    let env = TestEnv::on(store);
    let clock = env.path("clock");
    let set = |offset: &str| fs::write(&clock, offset).expect("the clock is set");
    set("+0");
    // The clock that only measures spans goes on as it does when an operator sets the time.
    let env = env
        .with("LD_PRELOAD", LIBRARY)
        .with("FAKETIME_TIMESTAMP_FILE", &clock.to_string_lossy())
        .with("FAKETIME_NO_CACHE", "1")
        .with("DONT_FAKE_MONOTONIC", "1");
    let server = env.serve();
    let start = time_of(&server);
    let (lasting, user) = (token_until(&server, FAR_FUTURE), env.create_caller("editor", "Editor"));
    let year = start.get(..4).and_then(|year| year.parse::<i32>().ok()).expect("a year");
    let within_a_year = token_until(&server, &format!("{}-01-01T00:00:00Z", year + 1));
    let known = |secret: &str| verify(&server, secret);
    assert_eq!((known(&lasting), known(&within_a_year)), (200, 200));

    set("-1h");
    until_true("an hour back", || time_of(&server) < start);
    assert_eq!((known(&lasting), known(&within_a_year), server.status(TOKENS, &user)), (200, 200, 200));
    let made_in_the_past = server.create_token("made an hour ago");
    assert_eq!(known(&made_in_the_past), 200);
    assert_eq!(server.delete_token(&made_in_the_past).status, 200);
    assert_eq!(known(&made_in_the_past), 401, "a revocation works whatever the time");

    set("+366d");
    until_true("a year forward", || time_of(&server) > format!("{}", year + 1));
    assert_eq!((known(&lasting), known(&within_a_year)), (200, 401), "one of them has expired");
    assert_eq!(server.send(&Request::get("/ready")).status, 200);
    let made_in_the_future = server.create_token("made in a year");
    assert_eq!(known(&made_in_the_future), 200);

    set("+0");
    until_true("the right time", || time_of(&server) < format!("{}", year + 1));
    for secret in [&lasting, &within_a_year, &made_in_the_future] {
        assert_eq!(known(secret), 200);
    }
    assert!(!server.stderr().contains("\"ERROR\""), "{}", server.stderr());
    server.stop();
    println!("{store:?}: the clock was set back an hour, forward a year, and right again");
}

#[test]
#[ignore = "needs the package faketime: just hostile"]
fn a_clock_that_is_set_on_sqlite() {
    a_clock_that_is_set(Store::Sqlite);
}

#[test]
#[ignore = "needs the package faketime: just hostile"]
fn a_clock_that_is_set_on_postgres() {
    a_clock_that_is_set(Store::Postgres);
}
