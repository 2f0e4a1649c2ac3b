//! Clients that hang up half-way: the server goes on as if nothing had been.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
};

use crate::{
    database::Records,
    ground::{ADMIN, Ground, Store},
    server::{Server, TOKENS},
    waiting::until_true,
    wire::Call,
};

/// How many clients hang up at once, and how often each does.
const CLIENTS: usize = 8;
const TIMES: usize = 40;

fn post(name: &str) -> Call {
    Call::post(TOKENS, &serde_json::json!({ "tokenName": name, "type": "client" })).by(ADMIN)
}

/// Sends that many bytes of the call, waits for `answered` bytes of an answer, and hangs up.
fn hang_up(server: &Server, call: &Call, sent: usize, answered: usize) {
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    let bytes = call.bytes();
    stream.write_all(&bytes[..sent.min(bytes.len())]).expect("the server listens");
    let mut answer = vec![0; answered];
    stream.read_exact(&mut answer).expect("the beginning of an answer");
}

/// Lets many clients at once do something again and again; each turn has its number.
fn everywhere(turn: impl Fn(usize) + Sync) {
    let turn = &turn;
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || (0..TIMES).for_each(|number| turn(client * TIMES + number)));
        }
    });
}

/// All connections to the database are free again, nothing is half-written, and nothing was locked.
fn assert_unharmed(ground: &Ground, server: &Server) {
    let mut records = Records::of(ground);
    until_true("each token has its event", || {
        let (created, deleted) = (records.events("api-token-created"), records.events("api-token-deleted"));
        records.count("api_tokens") == created - deleted && server.tokens().len() + 1 == created - deleted
    });
    // More at once than there are connections to the database.
    everywhere(|number| {
        if number % TIMES < 3 {
            let name = format!("after {number}");
            let secret = server.create(&name);
            assert!(server.tokens().iter().any(|token| token["tokenName"] == *name));
            assert_eq!(server.delete(&secret).status, 200);
        }
    });
    let said = server.said();
    for trouble in ["database is locked", "panicked", "Timeout", "timed out", "UnknownError"] {
        assert!(!said.contains(trouble), "{trouble}: {said}");
    }
    if ground.store == Store::Postgres {
        let open =
            "pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        until_true("no transaction is left open", || records.count(open) == 0);
    }
}

fn half_a_request(store: Store) {
    let ground = Ground::on(store);
    let server = ground.serve();
    let call = post("half");
    let whole = call.bytes().len();
    everywhere(|number| hang_up(&server, &call, 1 + number * (whole - 2) / (CLIENTS * TIMES), 0));
    assert_unharmed(&ground, &server);
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

fn a_request_whose_answer_nobody_waits_for(store: Store) {
    let ground = Ground::on(store).with("LATCHKEY__DATABASE__POOL_SIZE", "3");
    let server = ground.serve();
    let secrets: Vec<String> = (0..10).map(|number| server.create(&format!("t{number}"))).collect();
    everywhere(|number| {
        let secret = &secrets[number / 4 % secrets.len()];
        let calls = [
            post("unread"),
            Call::get(TOKENS).by(ADMIN),
            Call::get(TOKENS).by(&format!("unknown-{number}")),
            Call::delete(&format!("{TOKENS}/{}", crate::server::percent_encoded(secret))).by(ADMIN),
        ];
        // Now and then after the beginning of the answer, else while it is being made.
        hang_up(&server, &calls[number % calls.len()], usize::MAX, if number % 7 == 0 { 12 } else { 0 });
    });
    assert_unharmed(&ground, &server);
}

#[test]
fn a_request_whose_answer_nobody_waits_for_does_no_harm_on_sqlite() {
    a_request_whose_answer_nobody_waits_for(Store::Sqlite);
}

#[test]
fn a_request_whose_answer_nobody_waits_for_does_no_harm_on_postgres() {
    a_request_whose_answer_nobody_waits_for(Store::Postgres);
}

#[test]
fn clients_that_send_nothing_more_do_not_keep_others_from_an_answer() {
    let ground = Ground::on(Store::Sqlite);
    let server = ground.serve();
    let bytes = post("slow").bytes();
    let silent: Vec<TcpStream> = (0..100)
        .map(|number| {
            let mut stream = TcpStream::connect(server.address()).expect("a connection");
            stream.write_all(&bytes[..number * bytes.len() / 100]).expect("the server listens");
            stream
        })
        .collect();
    server.create("meanwhile");
    assert_eq!(server.tokens().len(), 1);
    drop(silent);
    assert_unharmed(&ground, &server);
}
