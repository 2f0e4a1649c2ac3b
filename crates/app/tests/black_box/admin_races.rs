//! Races between two administrators with varying delays: whichever wins, the store is consistent afterwards.

use std::{
    hint,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::{Request, Response},
    server::{Server, percent_encoded},
};
use serde_json::{Value, json};

/// The rounds of each of the three races; together more than a thousand on each store.
const ROUNDS: u64 = 340;

/// Sends both requests at the same time, one of them with a delay that differs from round to round.
pub(crate) fn race(server: &Server, round: u64, calls: [Request; 2]) -> [Response; 2] {
    // A fixed sequence of delays from 0 to 1 ms; the requests take turns at being late.
    let lag = Duration::from_micros(round * 7919 % 1_000);
    let late = usize::from(round.is_multiple_of(2));
    let start = Barrier::new(2);
    let start = &start;
    thread::scope(|scope| {
        let [first, second] = calls;
        let sending = |request: Request, is_late: bool| {
            scope.spawn(move || {
                start.wait();
                if is_late {
                    wait(lag);
                }
                server.as_admin(request)
            })
        };
        let first = sending(first, late == 0);
        let second = sending(second, late == 1);
        [first.join().expect("an answer"), second.join().expect("an answer")]
    })
}

/// Waits for a shorter time than a sleeping thread needs to wake up. It only decides which interleaving is tried.
#[expect(
    clippy::disallowed_methods,
    reason = "what is tried is real time, and no outcome depends on how much"
)]
fn wait(span: Duration) {
    let start = Instant::now();
    while start.elapsed() < span {
        hint::spin_loop();
    }
}

fn made(server: &Server, path: &str, body: &Value) -> Value {
    let answer = server.as_admin(Request::post(path, body));
    assert!(answer.status < 300, "{}: {}", answer.status, answer.text());
    answer.json()
}

fn events(server: &Server, query: &str) -> Vec<String> {
    let answer = server.as_admin(Request::get(&format!("/api/admin/search/events?{query}")));
    let events = answer.json()["events"].as_array().expect("a list").clone();
    events.iter().map(|event| event["type"].as_str().expect("a type").to_owned()).collect()
}

fn a_project_is_deleted_while_a_token_is_created_in_it(server: &Server) {
    for round in 0..ROUNDS {
        let id = format!("race-{round}");
        made(server, "/api/admin/projects", &json!({ "id": id, "name": id }));
        let project = format!("/api/admin/projects/{id}");
        let create =
            Request::post(&format!("{project}/api-tokens"), &json!({ "tokenName": "t", "type": "client" }));
        let [deleted, created] = race(server, round, [Request::delete(&project), create]);
        assert_eq!(deleted.status, 200, "{}", deleted.text());
        assert!([201, 404].contains(&created.status), "{}: {}", created.status, created.text());
        let listed = server.as_admin(Request::get(&format!("{project}/api-tokens")));
        assert_eq!(listed.status, 404, "the project is gone");
        let mut told = events(server, &format!("project=IS:{id}"));
        told.sort();
        let expected: &[&str] = if created.status == 201 {
            let secret = created.json()["secret"].as_str().expect("a secret").to_owned();
            let answer = server.send(&Request::get("/api/admin/user").by(&secret));
            assert_eq!(answer.status, 401, "the token went with its project");
            &["api-token-created", "api-token-deleted", "project-created", "project-deleted"]
        } else {
            &["project-created", "project-deleted"]
        };
        assert_eq!(told, expected);
    }
}

fn the_last_two_admins_are_demoted(server: &Server) {
    let admins = ["adam", "ada"].map(|name| {
        let user = made(server, "/api/admin/user-admin", &json!({ "username": name, "rootRole": 1 }));
        format!("/api/admin/user-admin/{}", user["id"])
    });
    for round in 0..ROUNDS {
        let change = |path: &String, role: u8| {
            Request::new("PUT", path)
                .header("content-type", "application/json")
                .body(json!({ "rootRole": role }).to_string())
        };
        let answers = race(server, round, [change(&admins[0], 3), change(&admins[1], 3)]);
        let mut statuses = answers.each_ref().map(|answer| answer.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403], "one winner: {answers:?}");
        let roles =
            admins.each_ref().map(|path| server.as_admin(Request::get(path)).json()["rootRole"].clone());
        assert_eq!(roles.iter().filter(|role| **role == json!(1)).count(), 1, "one Admin is left: {roles:?}");
        for path in &admins {
            assert_eq!(server.as_admin(change(path, 1)).status, 200);
        }
    }
}

fn a_token_is_rotated_while_it_is_deleted(server: &Server) {
    for round in 0..ROUNDS {
        let secret = server.create_token("contested");
        let path = format!("/api/admin/projects/default/api-tokens/{}", percent_encoded(&secret));
        let rotate = Request::post(&format!("{path}/rotate"), &json!({ "overlap": "PT1H" }));
        let [rotated, deleted] = race(server, round, [rotate, Request::delete(&path)]);
        let is_known = |secret: &str| server.send(&Request::get("/api/admin/user").by(secret)).status == 403;
        match (rotated.status, deleted.status) {
            // Deleted first, or found by its secret before and deleted after the rotation.
            (404, 200) => assert!(!is_known(&secret)),
            (200, 200) => {
                let new = rotated.json()["secret"].as_str().expect("a secret").to_owned();
                assert!(!is_known(&secret) && !is_known(&new), "deleted with all its secrets");
            }
            // Rotated first: the secret that the deletion names is retired and no longer names the token.
            (200, 400) => {
                let new = rotated.json()["secret"].as_str().expect("a secret").to_owned();
                assert!(is_known(&secret) && is_known(&new), "the old one lives on beside the new one");
                assert_eq!(server.delete_token(&new).status, 200);
                assert!(!is_known(&secret) && !is_known(&new));
            }
            other => panic!("{other:?}: {} {}", rotated.text(), deleted.text()),
        }
        assert!(server.tokens().is_empty());
    }
}

fn races_leave_a_consistent_store(store: Store) {
    let env = TestEnv::on(store);
    let server = env.serve();
    a_project_is_deleted_while_a_token_is_created_in_it(&server);
    the_last_two_admins_are_demoted(&server);
    a_token_is_rotated_while_it_is_deleted(&server);
}

#[test]
fn a_thousand_races_of_administrators_leave_a_consistent_store_on_sqlite() {
    races_leave_a_consistent_store(Store::Sqlite);
}

#[test]
fn a_thousand_races_of_administrators_leave_a_consistent_store_on_postgres() {
    races_leave_a_consistent_store(Store::Postgres);
}
