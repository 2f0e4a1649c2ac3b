//! Event streams of real servers: no gap and no duplicate, whatever happens to the server.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    thread,
    time::Duration,
};

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::{ADMIN, Server},
};
use serde_json::Value;

use crate::database::Records;

/// A stream that a client reads.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(server: &Server, after: i64) -> Self {
        let mut connection = TcpStream::connect(server.address()).expect("connected");
        connection.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        let request = Request::get(&format!("/api/admin/events/stream?after={after}")).by(ADMIN);
        connection.write_all(&request.bytes()).expect("sent");
        Self(BufReader::new(connection))
    }

    /// Returns the id of the next event; `None` at the end.
    fn next(&mut self) -> Option<i64> {
        let mut line = String::new();
        // Each event is in one part of the body, so its line begins with it. Others are of the head and between parts.
        while !line.starts_with('{') {
            line.clear();
            if self.0.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
        }
        serde_json::from_str::<Value>(&line).ok()?["id"].as_i64()
    }
}

/// Creates tokens from several clients at once.
fn create_tokens(server: &Server, name: &str) {
    thread::scope(|scope| {
        for client in 0..4 {
            scope.spawn(move || {
                for number in 0..10 {
                    server.create_token(&format!("{name}-{client}-{number}"));
                }
            });
        }
    });
}

fn a_stream_goes_on_after_a_kill(store: Store) {
    let env = TestEnv::on(store);
    let mut ids = Vec::new();
    for round in 0..3 {
        let server = env.serve();
        let mut stream = Stream::open(&server, ids.last().copied().unwrap_or(0));
        let before = ids.len();
        thread::scope(|scope| {
            scope.spawn(|| create_tokens(&server, &format!("round-{round}")));
            ids.extend(std::iter::from_fn(|| stream.next()).take(25));
        });
        assert_eq!(ids.len(), before + 25, "round {round}");
        server.crash();
    }
    let server = env.serve();
    let recorded = "SELECT CAST(id AS TEXT) AS value FROM events ORDER BY id";
    let recorded: Vec<i64> =
        Records::of(&env).texts(recorded).iter().map(|id| id.parse().expect("a number")).collect();
    let mut stream = Stream::open(&server, ids.last().copied().expect("some"));
    while ids.len() < recorded.len() {
        ids.push(stream.next().expect("an event"));
    }
    assert_eq!(ids, recorded);
}

#[test]
fn a_stream_goes_on_after_a_kill_on_sqlite() {
    a_stream_goes_on_after_a_kill(Store::Sqlite);
}

#[test]
fn a_stream_goes_on_after_a_kill_on_postgres() {
    a_stream_goes_on_after_a_kill(Store::Postgres);
}

/// What one server changes, the stream of another shows.
#[test]
fn a_stream_shows_what_other_servers_do() {
    let env = TestEnv::on(Store::Postgres);
    let (one, other) = (env.serve(), env.serve());
    let mut stream = Stream::open(&other, 0);
    let first = stream.next().expect("the first token");
    one.create_token("by the other");
    assert!(stream.next().expect("an event") > first);
}

/// A server that stops does not wait for its streams.
#[test]
fn a_server_that_stops_ends_its_streams() {
    let env = TestEnv::on(Store::Memory).with("LATCHKEY__SERVER__SHUTDOWN_TIMEOUT", "1h");
    let server = env.serve();
    let mut stream = Stream::open(&server, 0);
    stream.next().expect("the first token");
    server.stop();
    assert_eq!(stream.next(), None);
}
