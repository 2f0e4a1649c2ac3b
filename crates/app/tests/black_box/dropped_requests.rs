//! Clients that disconnect in the middle of a request: the server goes on unaffected.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
};

use latchkey_testkit::{
    env::{ADMIN, Store, TestEnv},
    raw_http::Request,
    server::{Server, TOKENS},
    wait::until_true,
};

use crate::database::Records;

/// The number of clients that disconnect at once, and how often each does.
const CLIENTS: usize = 8;
const TIMES: usize = 40;

fn post(name: &str) -> Request {
    Request::post(TOKENS, &serde_json::json!({ "tokenName": name, "type": "client" })).by(ADMIN)
}

/// Sends that many bytes of the request, waits for `answered` bytes of a response, and disconnects.
fn hang_up(server: &Server, request: &Request, sent: usize, answered: usize) {
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    let bytes = request.bytes();
    stream.write_all(&bytes[..sent.min(bytes.len())]).expect("the server listens");
    let mut answer = vec![0; answered];
    stream.read_exact(&mut answer).expect("the beginning of an answer");
}

/// Runs the action repeatedly in many clients at once; each run gets its number.
fn everywhere(turn: impl Fn(usize) + Sync) {
    let turn = &turn;
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || (0..TIMES).for_each(|number| turn(client * TIMES + number)));
        }
    });
}

/// Asserts that all connections to the database are free again, nothing is half-written and nothing is locked.
fn assert_unharmed(env: &TestEnv, server: &Server) {
    let mut records = Records::of(env);
    until_true("each token has its event", || {
        let (created, deleted) = (records.events("api-token-created"), records.events("api-token-deleted"));
        records.count("api_tokens") == created - deleted && server.tokens().len() + 1 == created - deleted
    });
    // More at once than there are connections to the database.
    everywhere(|number| {
        if number % TIMES < 3 {
            let name = format!("after {number}");
            let secret = server.create_token(&name);
            assert!(server.tokens().iter().any(|token| token["tokenName"] == *name));
            assert_eq!(server.delete_token(&secret).status, 200);
        }
    });
    let said = server.output();
    for trouble in ["database is locked", "panicked", "Timeout", "timed out", "UnknownError"] {
        assert!(!said.contains(trouble), "{trouble}: {said}");
    }
    if env.store() == Store::Postgres {
        let open =
            "pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        until_true("no transaction is left open", || records.count(open) == 0);
    }
}

fn half_a_request(store: Store) {
    let env = TestEnv::on(store);
    let server = env.serve();
    let request = post("half");
    let whole = request.bytes().len();
    everywhere(|number| hang_up(&server, &request, 1 + number * (whole - 2) / (CLIENTS * TIMES), 0));
    assert_unharmed(&env, &server);
    assert!(server.tokens().is_empty(), "half a request creates nothing");
}

#[test]
fn half_a_request_does_nothing_on_sqlite() {
    half_a_request(Store::Sqlite);
}

#[test]
fn half_a_request_does_nothing_on_postgres() {
    half_a_request(Store::Postgres);
}

fn requests_of_clients_that_disconnected(store: Store) {
    let env = TestEnv::on(store).with("LATCHKEY__DATABASE__POOL_SIZE", "3");
    let server = env.serve();
    let secrets: Vec<String> = (0..10).map(|number| server.create_token(&format!("t{number}"))).collect();
    everywhere(|number| {
        let secret = &secrets[number / 4 % secrets.len()];
        let calls = [
            post("unread"),
            Request::get(TOKENS).by(ADMIN),
            Request::get(TOKENS).by(&format!("unknown-{number}")),
            Request::delete(&format!("{TOKENS}/{}", latchkey_testkit::server::percent_encoded(secret)))
                .by(ADMIN),
        ];
        // Some disconnect after the beginning of the response, the others before it.
        hang_up(&server, &calls[number % calls.len()], usize::MAX, if number % 7 == 0 { 12 } else { 0 });
    });
    assert_unharmed(&env, &server);
}

#[test]
fn requests_of_clients_that_disconnected_do_no_harm_on_sqlite() {
    requests_of_clients_that_disconnected(Store::Sqlite);
}

#[test]
fn requests_of_clients_that_disconnected_do_no_harm_on_postgres() {
    requests_of_clients_that_disconnected(Store::Postgres);
}

#[test]
fn stalled_clients_do_not_block_others() {
    let env = TestEnv::on(Store::Sqlite);
    let server = env.serve();
    let bytes = post("slow").bytes();
    let silent: Vec<TcpStream> = (0..100)
        .map(|number| {
            let mut stream = TcpStream::connect(server.address()).expect("a connection");
            stream.write_all(&bytes[..number * bytes.len() / 100]).expect("the server listens");
            stream
        })
        .collect();
    server.create_token("meanwhile");
    assert_eq!(server.tokens().len(), 1);
    drop(silent);
    assert_unharmed(&env, &server);
}
