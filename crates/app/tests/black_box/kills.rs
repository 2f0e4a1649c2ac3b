//! `kill -9` of a server that writes: every acknowledged change is there afterwards, and every change has its event.
//! `just kill` runs fifty rounds on each database; other runs of the tests do a few.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::{ADMIN, Server, TOKENS, percent_encoded},
    sqlite::integrity,
    wait::until_true,
};
use serde_json::json;

use crate::database::Records;

/// The environment variable with the number of rounds, and the number without it.
const ROUNDS: (&str, usize) = ("LATCHKEY_KILL_ROUNDS", 3);
const WRITERS: usize = 8;
/// Every token but each fourth is kept.
const KEPT: usize = 3;

/// The secrets of tokens whose last change was acknowledged.
#[derive(Default)]
struct Acknowledged {
    created: Vec<String>,
    deleted: Vec<String>,
}

/// Creates tokens and deletes some of them until the server is gone. A change without a response may have happened or not.
fn write(address: SocketAddr, names: &str, changes: &AtomicUsize) -> Acknowledged {
    let mut acknowledged = Acknowledged::default();
    for number in 0_usize.. {
        let body = json!({ "tokenName": format!("{names}, token {number}"), "type": "client" });
        let Ok(created) = Request::post(TOKENS, &body).by(ADMIN).send_to(address) else { break };
        assert_eq!(created.status, 201, "{}", created.text());
        changes.fetch_add(1, Ordering::Relaxed);
        let secret = created.json()["secret"].as_str().expect("a secret").to_owned();
        if number % (KEPT + 1) < KEPT {
            acknowledged.created.push(secret);
            continue;
        }
        let target = format!("{TOKENS}/{}", percent_encoded(&secret));
        let Ok(deleted) = Request::delete(&target).by(ADMIN).send_to(address) else { break };
        assert_eq!(deleted.status, 200, "{}", deleted.text());
        changes.fetch_add(1, Ordering::Relaxed);
        acknowledged.deleted.push(secret);
    }
    acknowledged
}

/// Kills the server after this many changes, while more are being made. Returns those that it acknowledged.
fn kill_after(changes: usize, server: Server, round: usize) -> Vec<Acknowledged> {
    let (address, made) = (server.address(), AtomicUsize::new(0));
    thread::scope(|scope| {
        let start = |writer: usize| {
            let (names, made) = (format!("round {round}, writer {writer}"), &made);
            scope.spawn(move || write(address, &names, made))
        };
        let writers: Vec<_> = (0..WRITERS).map(start).collect();
        until_true("some changes", || made.load(Ordering::Relaxed) >= changes);
        server.crash();
        writers.into_iter().map(|writer| writer.join().expect("no refusal")).collect()
    })
}

/// Asserts that tokens and events agree: what was created and not deleted, by the events, is there, and nothing else.
fn assert_events_tell_all(records: &mut Records) {
    let mut told = BTreeSet::new();
    for event in records.token_events() {
        let name = |state: &serde_json::Value| state["tokenName"].as_str().expect("a name").to_owned();
        match event.kind.as_str() {
            "api-token-created" => assert!(told.insert(name(&event.after)), "{event:?} is there twice"),
            "api-token-deleted" => assert!(told.remove(&name(&event.before)), "{event:?} has no token"),
            _ => {}
        }
    }
    let names = records.texts("SELECT name AS value FROM api_tokens");
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), told);
}

fn nothing_acknowledged_is_lost(store: Store) {
    let (variable, default) = ROUNDS;
    let rounds = std::env::var(variable).map_or(default, |text| text.parse().expect("a number"));
    let env = TestEnv::on(store).with("LATCHKEY__LIMITS__API_TOKENS", "1000000");
    let mut server = env.serve();
    let (mut created, mut deleted) = (0, 0);
    for round in 0..rounds {
        // Also right after the start, and not at the same change each time.
        let acknowledged = kill_after(1 + round * 37 % 101, server, round);
        server = env.serve();
        for secret in acknowledged.iter().flat_map(|changes| &changes.created) {
            assert_eq!(server.status("/auth/verify", secret), 200, "round {round}: a token is lost");
            created += 1;
        }
        for secret in acknowledged.iter().flat_map(|changes| &changes.deleted) {
            assert_eq!(server.status("/auth/verify", secret), 401, "round {round}: a token is back");
            deleted += 1;
        }
        assert_events_tell_all(&mut Records::of(&env));
        if store == Store::Sqlite {
            assert_eq!(integrity(&env.path("latchkey.db")), "ok", "round {round}");
        }
    }
    println!("{rounds} kills: {created} acknowledged tokens and {deleted} acknowledged deletions, none lost");
}

#[test]
fn a_kill_loses_nothing_acknowledged_on_sqlite() {
    nothing_acknowledged_is_lost(Store::Sqlite);
}

#[test]
fn a_kill_loses_nothing_acknowledged_on_postgres() {
    nothing_acknowledged_is_lost(Store::Postgres);
}
