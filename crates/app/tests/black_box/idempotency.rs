//! A request with an `Idempotency-Key` that is sent thirty times at once, on both databases, also by a client that shows secrets
//! once, and also if the server is killed in between: one token, and thirty equal answers.

use std::{
    collections::BTreeSet,
    io,
    net::SocketAddr,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::{Request, Response},
    server::{ADMIN, TOKENS},
    wait::until_true,
};
use serde_json::{Value, json};

use crate::database::Records;

const AT_ONCE: usize = 30;
const KILLS: usize = 12;

fn keyed(path: &str, key: &str, body: &Value) -> Request {
    Request::post(path, body).header("Idempotency-Key", key).by(ADMIN)
}

fn client(name: &str) -> Value {
    json!({ "tokenName": name, "type": "client" })
}

/// Sends the request thirty times at once, and counts what was sent and what was answered.
fn send_at_once(
    address: SocketAddr,
    request: &Request,
    (begun, answered): (&AtomicUsize, &AtomicUsize),
) -> Vec<io::Result<Response>> {
    let start = Barrier::new(AT_ONCE);
    thread::scope(|scope| {
        let send = || {
            start.wait();
            begun.fetch_add(1, Ordering::Relaxed);
            let response = request.send_to(address);
            answered.fetch_add(1, Ordering::Relaxed);
            response
        };
        let senders: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(send)).collect();
        senders.into_iter().map(|sender| sender.join().expect("no panic")).collect()
    })
}

/// Returns what each answer says that is no error, and expects that there is at most one.
fn the_answer(
    answers: impl IntoIterator<Item = io::Result<Response>>,
    said: &mut BTreeSet<String>,
    status: u16,
) {
    for answer in answers.into_iter().flatten() {
        assert_eq!(answer.status, status, "{}", answer.text());
        said.insert(answer.text());
    }
    assert!(said.len() <= 1, "{said:?}");
}

/// Creates a token, creates a batch and rotates, each thirty times at once.
fn thirty_equal_answers(store: Store) {
    for reveal in ["always", "once"] {
        let env = TestEnv::on(store).with("LATCHKEY__TOKENS__REVEAL", reveal);
        let server = env.serve();
        let unused = (&AtomicUsize::new(0), &AtomicUsize::new(0));
        let several = json!({ "tokens": [client("several"), client("several")] });
        let send = |path: &str, body: &Value, status| {
            let answers = send_at_once(server.address(), &keyed(path, "key", body), unused);
            let first = answers.iter().flatten().filter(|one| one.header("idempotency-replayed").is_none());
            assert_eq!(first.count(), 1, "{path} was carried out once");
            assert_eq!(answers.iter().flatten().count(), AT_ONCE);
            let mut said = BTreeSet::new();
            the_answer(answers, &mut said, status);
            said.first().expect("an answer").parse::<Value>().expect("JSON")
        };
        let is_accepted = |answer: &Value| {
            let secret = answer["secret"].as_str().expect("text");
            assert_eq!(server.status("/auth/verify", secret), 200, "{answer}");
        };
        let one = send(TOKENS, &client("one"), 201);
        is_accepted(&one);
        let rotate = format!("{TOKENS}/{}/rotate", one["id"].as_str().expect("an id"));
        is_accepted(&send(&rotate, &json!({ "overlap": "PT1H" }), 200));
        is_accepted(&one);
        is_accepted(&send("/api/admin/api-tokens", &client("of all projects"), 201));
        let batch = send(&format!("{TOKENS}/batch"), &several, 201);
        batch["tokens"].as_array().expect("a list").iter().for_each(is_accepted);
        let mut records = Records::of(&env);
        let mut names = records.texts("SELECT name AS value FROM api_tokens");
        names.sort();
        assert_eq!(names, ["admin", "of all projects", "one", "several", "several"]);
        assert_eq!(records.events("api-token-rotated"), 1);
    }
}

/// Kills the server while thirty requests with one key are under way, at another moment each time; then they are sent again.
fn one_token_in_spite_of_kills(store: Store) {
    let env = TestEnv::on(store)
        .with("LATCHKEY__TOKENS__REVEAL", "once")
        .with("LATCHKEY__LIMITS__API_TOKENS", "1000");
    let mut server = env.serve();
    for round in 0..KILLS {
        let name = format!("round {round}");
        let request = keyed(TOKENS, &format!("round-{round}"), &client(&name));
        let (begun, answered, address) = (AtomicUsize::new(0), AtomicUsize::new(0), server.address());
        let before = thread::scope(|scope| {
            let (request, counts) = (&request, (&begun, &answered));
            let sending = scope.spawn(move || send_at_once(address, request, counts));
            // At once, after the first answers, and in between.
            until_true("requests are under way", || begun.load(Ordering::Relaxed) == AT_ONCE);
            until_true("some are answered", || answered.load(Ordering::Relaxed) >= round % 4);
            server.crash();
            sending.join().expect("no panic")
        });
        server = env.serve();
        let mut said = BTreeSet::new();
        the_answer(before, &mut said, 201);
        let unused = (&AtomicUsize::new(0), &AtomicUsize::new(0));
        let after = send_at_once(server.address(), &request, unused);
        assert_eq!(after.iter().flatten().count(), AT_ONCE);
        the_answer(after, &mut said, 201);
        let answer: Value = said.first().expect("an answer").parse().expect("JSON");
        let secret = answer["secret"].as_str().expect("text");
        assert_eq!(server.status("/auth/verify", secret), 200, "round {round}");
        let mut records = Records::of(&env);
        let made = format!("SELECT name AS value FROM api_tokens WHERE name = '{name}'");
        assert_eq!(records.texts(&made).len(), 1, "round {round}");
        assert_eq!(records.events("api-token-created"), round + 1 + ADMIN_EVENTS);
    }
}

/// The event of the admin token that each server here starts with.
const ADMIN_EVENTS: usize = 1;

#[test]
fn thirty_requests_with_one_key_have_one_answer_on_sqlite() {
    thirty_equal_answers(Store::Sqlite);
}

#[test]
fn thirty_requests_with_one_key_have_one_answer_on_postgres() {
    thirty_equal_answers(Store::Postgres);
}

#[test]
fn kills_leave_one_token_and_one_answer_on_sqlite() {
    one_token_in_spite_of_kills(Store::Sqlite);
}

#[test]
fn kills_leave_one_token_and_one_answer_on_postgres() {
    one_token_in_spite_of_kills(Store::Postgres);
}
