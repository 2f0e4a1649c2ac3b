//! The effects of settings on clients and operators.

use latchkey_testkit::{
    env::{ADMIN, Store, TestEnv},
    raw_http::Request,
    server::Server,
    wait::until_true,
};
use serde_json::json;

use crate::database::Records;

/// The API tokens of the instance.
const ALL_TOKENS: &str = "/api/admin/api-tokens";

#[test]
fn admin_tokens_are_created_over_http_only_where_that_is_allowed() {
    let body = json!({ "tokenName": "ops", "type": "admin" });
    let mut env = TestEnv::on(Store::Sqlite);
    let server = env.serve();
    let answer = server.as_admin(Request::post(ALL_TOKENS, &body));
    assert_eq!((answer.status, answer.kind().as_str()), (403, "OperationDeniedError"), "{}", answer.text());

    env.set("LATCHKEY__TOKENS__ALLOW_ADMIN", "true");
    let server = env.serve();
    let answer = server.as_admin(Request::post(ALL_TOKENS, &body));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let secret = answer.json()["secret"].as_str().expect("a secret").to_owned();
    assert_eq!(server.send(&Request::get(ALL_TOKENS).by(&secret)).status, 200);
}

fn events_past_retention_are_deleted_but_the_newest(store: Store) {
    let mut env = TestEnv::on(store);
    let server = env.serve();
    for number in 0..5 {
        server.create_token(&format!("token-{number}"));
    }
    server.stop();
    assert_eq!(Records::of(&env).events("api-token-created"), 6);
    let newest = "SELECT CAST(max(id) AS TEXT) AS value FROM events";
    let last = Records::of(&env).texts(newest);

    // By default, events are kept.
    env.serve().stop();
    assert_eq!(Records::of(&env).events("api-token-created"), 6);

    env.set("LATCHKEY__AUDIT__RETENTION", "1ms");
    let server = env.serve();
    until_true("old events are forgotten", || Records::of(&env).count("events") == 1);
    assert_eq!(Records::of(&env).texts(newest), last);
    // Tokens do not depend on their events.
    assert_eq!(server.tokens().len(), 5);
    server.create_token("another");
}

#[test]
fn events_past_retention_are_deleted_but_the_newest_on_sqlite() {
    events_past_retention_are_deleted_but_the_newest(Store::Sqlite);
}

#[test]
fn events_past_retention_are_deleted_but_the_newest_on_postgres() {
    events_past_retention_are_deleted_but_the_newest(Store::Postgres);
}

fn expired_sessions_are_deleted(store: Store) {
    let mut env = TestEnv::on(store).with("LATCHKEY__SESSIONS__TTL", "1ms");
    let server = env.serve();
    let user = json!({ "username": "ed", "password": "correct horse", "rootRole": 3 });
    let made = server.as_admin(Request::post("/api/admin/user-admin", &user));
    assert_eq!(made.status, 201, "{}", made.text());
    let login = json!({ "username": "ed", "password": "correct horse" });
    assert_eq!(server.send(&Request::post("/auth/simple/login", &login)).status, 200);
    let wrong = json!({ "username": "ed", "password": "wrong horse" });
    assert_eq!(server.send(&Request::post("/auth/simple/login", &wrong)).status, 401);
    server.stop();
    // A server also deletes expired sessions at its start.
    assert_eq!(Records::of(&env).count("sessions"), 1);
    env.set("LATCHKEY__SESSIONS__TTL", "1h");
    let _server = env.serve();
    until_true("the session is swept away", || Records::of(&env).count("sessions") == 0);
    assert!(Records::of(&env).count("login_failures") > 0, "failures count for some time");
}

#[test]
fn expired_sessions_are_deleted_on_sqlite() {
    expired_sessions_are_deleted(Store::Sqlite);
}

#[test]
fn expired_sessions_are_deleted_on_postgres() {
    expired_sessions_are_deleted(Store::Postgres);
}

#[test]
fn the_token_to_verify_may_come_in_a_configured_header() {
    let mut env = TestEnv::on(Store::Memory);
    let verify = |server: &Server, headers: &[(&str, &str)]| {
        let request = Request::get("/auth/verify");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        server.send(&request).status
    };
    let server = env.serve();
    let secret = server.create_token("web");
    assert_eq!(verify(&server, &[("X-API-Key", &secret)]), 401, "the header is not configured");
    assert_eq!(verify(&server, &[("X-API-Key", "unknown"), ("Authorization", &secret)]), 200);

    env.set("LATCHKEY__VERIFY__HEADER", "X-API-Key");
    let server = env.serve();
    let secret = server.create_token("web");
    let bearer = format!("Bearer {secret}");
    for (headers, expected) in [
        (vec![("x-api-key", secret.as_str())], 200),
        (vec![("X-API-Key", &bearer)], 200),
        (vec![("Authorization", &bearer)], 200),
        (vec![("X-API-Key", &secret), ("Authorization", "unknown")], 200),
        (vec![("X-API-Key", "unknown"), ("Authorization", &secret)], 401),
        (vec![("X-API-Key", ""), ("Authorization", &secret)], 401),
        (vec![], 401),
    ] {
        assert_eq!(verify(&server, &headers), expected, "{headers:?}");
    }
    // It does not authenticate other requests.
    assert_eq!(server.send(&Request::get(ALL_TOKENS).header("X-API-Key", ADMIN)).status, 401);
}

#[test]
fn lookups_of_unknown_secrets_are_limited_and_known_ones_are_not() {
    let server = TestEnv::on(Store::Sqlite).with("LATCHKEY__VERIFY__UNKNOWN_PER_SECOND", "1").serve();
    let secret = server.create_token("web");
    let verify = |secret: &str| server.send(&Request::get("/auth/verify").by(secret)).status;
    assert_eq!(verify(&secret), 200);
    let mut guesses = 0;
    until_true("a guess too many", || {
        // Two in a row, so that they fall into the same second.
        (0..2).any(|_| {
            guesses += 1;
            verify(&format!("guess-{guesses}")) == 503
        })
    });
    assert!(server.metric("latchkey_unknown_secrets_refused_total") >= 1.0);
    assert_eq!(verify(&secret), 200);
    // The default limit is higher.
    let server = TestEnv::on(Store::Sqlite).serve();
    for guess in 0..20 {
        assert_eq!(server.send(&Request::get("/auth/verify").by(&format!("guess-{guess}"))).status, 401);
    }
}
