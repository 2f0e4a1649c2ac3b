//! A rotation ends with the first use of its new secret, at whichever server that is.

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::{Server, TOKENS},
    wait::until_true,
};
use serde_json::{Value, json};

use crate::{admin_races::race, database::Records};

fn newest_end(server: &Server) -> Option<Value> {
    let answer = server.as_admin(Request::get("/api/admin/search/events?type=IS:api-token-rotation-ended"));
    answer.json()["events"].as_array().expect("a list").first().cloned()
}

fn the_first_use_ends_the_overlap(store: Store) {
    let env = TestEnv::on(store);
    let servers = if store == Store::Postgres { vec![env.serve(), env.serve()] } else { vec![env.serve()] };
    let (first, last) = (servers.first().expect("a server"), servers.last().expect("a server"));
    let made = first.as_admin(Request::post(TOKENS, &json!({ "tokenName": "t", "type": "client" }))).json();
    let (old, id) = (made["secret"].as_str().expect("text"), made["id"].as_str().expect("text"));
    let body = json!({ "overlap": "P7D", "endOnFirstUse": true });
    let rotated = first.as_admin(Request::post(&format!("{TOKENS}/{id}/rotate"), &body)).json();
    let new = rotated["secret"].as_str().expect("text");
    assert_eq!(last.status("/auth/verify", old), 200);
    assert_eq!(newest_end(first), None, "the use of the old one ends nothing");
    until_true("the other server knows the new secret", || last.status("/auth/verify", new) == 200);
    until_true("the rotation has ended", || newest_end(first).is_some());
    let event = newest_end(first).expect("an event");
    let moment = |state: &str| event[state]["oldSecretUntil"].as_str().expect("a time").to_owned();
    assert_eq!(Value::from(moment("preData")), rotated["previousSecretExpiresAt"]);
    assert!(moment("data") < moment("preData"));
    assert_eq!(event["createdBy"], json!("latchkey_system_user"));
    let mut records = Records::of(&env);
    assert_eq!(records.count("api_tokens WHERE CAST(attributes AS text) LIKE '%rotation%'"), 0);
    for server in &servers {
        assert_eq!(server.status("/auth/verify", new), 200);
        assert_eq!(server.status("/auth/verify", old), 200, "for a minute");
    }
    assert_eq!(records.events("api-token-rotation-ended"), 1, "once");
}

/// Rotates a token while its attributes are changed: neither gets in the way of the other.
fn rotations_beside_changes_succeed(store: Store) {
    let env = TestEnv::on(store);
    let server = env.serve();
    let made = server.as_admin(Request::post(TOKENS, &json!({ "tokenName": "t", "type": "client" }))).json();
    let token = format!("{TOKENS}/{}", made["id"].as_str().expect("text"));
    for number in 0..10 {
        let change = json!({ "description": number.to_string() }).to_string();
        let change = Request::new("PATCH", &token).header("content-type", "application/json").body(change);
        // Each other one takes the place of one that is pending.
        let rotation = json!({ "overlap": "PT1H", "endOnFirstUse": number % 2 == 0 });
        let rotation = Request::post(&format!("{token}/rotate"), &rotation);
        for answer in race(&server, number, [change, rotation]) {
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }
    let mut records = Records::of(&env);
    assert_eq!((records.events("api-token-updated"), records.events("api-token-rotated")), (10, 10));
}

#[test]
fn rotations_beside_changes_succeed_on_sqlite() {
    rotations_beside_changes_succeed(Store::Sqlite);
}

#[test]
fn rotations_beside_changes_succeed_on_postgres() {
    rotations_beside_changes_succeed(Store::Postgres);
}

#[test]
fn the_first_use_ends_the_overlap_on_sqlite() {
    the_first_use_ends_the_overlap(Store::Sqlite);
}

#[test]
fn the_first_use_ends_the_overlap_on_postgres() {
    the_first_use_ends_the_overlap(Store::Postgres);
}
