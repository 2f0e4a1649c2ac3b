//! Clients that send or read slowly, or too much, without credentials: what they make the server hold is bounded, and others are served.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    thread,
};

use latchkey_testkit::{
    env::{ADMIN, Store, TestEnv},
    raw_http::Request,
    server::{Server, TOKENS},
    wait::until_true,
};
use serde_json::json;

const CLIENTS: usize = 300;
/// A server at rest takes some 14 MiB, or 35 in a debug build: this keeps it below 100.
const MAX_GROWTH_KIB: u64 = 80 * 1024;

fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.address()).expect("a connection")
}

fn resident(server: &Server) -> u64 {
    server.process().resident_kib().expect("its memory")
}

/// Others are served, and the memory of the server has not grown beyond its bound.
fn check(server: &Server, at_rest: u64) {
    assert_eq!(server.status(TOKENS, ADMIN), 200);
    assert_eq!(server.status("/auth/verify", ADMIN), 200);
    let question = Request::post("/edge/validate", &json!({ "tokens": [ADMIN] }));
    assert_eq!(server.send(&question).status, 200);
    let growth = resident(server).saturating_sub(at_rest);
    assert!(growth < MAX_GROWTH_KIB, "{growth} KiB");
}

#[test]
fn bodies_that_stop_before_their_end_share_a_budget() {
    const LENGTH: usize = 1024 * 1024;
    let server = TestEnv::on(Store::Sqlite).serve();
    let at_rest = resident(&server);
    // Each client sends all of a body but its last byte, as far as the server reads it.
    let clients: Vec<_> = (0..CLIENTS).map(|_| connect(&server)).collect();
    thread::scope(|scope| {
        for mut client in &clients {
            scope.spawn(move || {
                let head = format!(
                    "POST /edge/validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {LENGTH}\r\n\r\n"
                );
                let sent = client.write_all(head.as_bytes()).and_then(|()| client.write_all(&vec![b' '; LENGTH - 1]));
                // The server refuses some before their end, and closes the connection.
                drop(sent);
            });
        }
    });
    check(&server, at_rest);
    // With a response, or by the end of the connection, where the server had not read all.
    let is_refused = |client: &&TcpStream| {
        client.set_nonblocking(true).expect("set");
        client.peek(&mut [0]).map_or_else(|error| error.kind() != io::ErrorKind::WouldBlock, |_| true)
    };
    until_true("most of them are refused", || clients.iter().filter(is_refused).count() > CLIENTS / 2);
    drop(clients);
    // What they held is given back: a large request is served again.
    let large = Request::post("/edge/validate", &json!({ "tokens": vec!["x".repeat(1_000); 500] }));
    until_true("a large request is served", || server.send(&large).status == 200);
    server.stop();
}

#[test]
fn responses_that_are_not_read_take_one_piece_for_each_connection() {
    let server = TestEnv::on(Store::Sqlite).serve();
    let at_rest = resident(&server);
    let request = "GET /docs/openapi/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n".repeat(12);
    let clients: Vec<_> = (0..CLIENTS).map(|_| connect(&server)).collect();
    for mut client in &clients {
        client.write_all(request.as_bytes()).expect("sent");
    }
    // Each response has begun.
    for client in &clients {
        client.peek(&mut [0]).expect("the begin of a response");
    }
    check(&server, at_rest);
    // A client that reads gets all of it.
    let mut client = clients.first().expect("a client");
    let mut length = 0;
    let mut part = vec![0; 64 * 1024];
    while length < 12 * 1_000_000 {
        length += client.read(&mut part).expect("more of it");
    }
    drop(clients);
    server.stop();
}

#[test]
fn heads_that_do_not_end_are_cut_off() {
    let server = TestEnv::on(Store::Sqlite).serve();
    let at_rest = resident(&server);
    // The first head of a connection, and one after a request that was answered.
    for before in ["", "GET /health HTTP/1.1\r\nhost: x\r\n\r\n"] {
        let mut clients: Vec<_> = (0..CLIENTS).map(|_| connect(&server)).collect();
        let head = format!("{before}GET /auth/verify HTTP/1.1\r\nhost: x\r\nx-long: {}", "x".repeat(100_000));
        for client in &mut clients {
            // The server may have ended the connection before it has read all.
            drop(client.write_all(head.as_bytes()));
        }
        check(&server, at_rest);
    }
    server.stop();
}

#[test]
fn a_request_that_cannot_be_read_gets_a_status_and_the_connection_ends() {
    let server = TestEnv::on(Store::Sqlite).serve();
    let many_headers = (0..97).fold(String::new(), |text, number| text + &format!("x-{number}: y\r\n"));
    for (head, status) in [
        ("GET /health HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GET /health HTTP/2.0\r\nhost: x\r\n\r\n".to_owned(), 400),
        ("GET /health HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n".to_owned(), 400),
        (format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(65_536)), 400),
        (format!("GET /health HTTP/1.1\r\nhost: x\r\n{many_headers}\r\n"), 431),
        (format!("GET /health HTTP/1.1\r\nhost: x\r\nx-long: {}", "x".repeat(140_000)), 431),
        // It does not end.
        ("GET /health HTTP/1.1\r\nhost: x\r\n".to_owned(), 408),
    ] {
        let mut client = connect(&server);
        // The server may respond before it has read all.
        drop(client.write_all(head.as_bytes()));
        let mut response = [0; 12];
        client.read_exact(&mut response).expect("a response");
        let expected = format!("HTTP/1.1 {status}");
        assert_eq!(String::from_utf8_lossy(&response), expected, "{head:.60}");
        // To its end, or to the reset of a connection with unread bytes.
        drop(client.read_to_end(&mut Vec::new()));
    }
    server.stop();
}

#[test]
fn connections_beyond_the_limit_wait_for_one_to_end() {
    let env = TestEnv::on(Store::Sqlite)
        .with("LATCHKEY__SERVER__MAX_CONNECTIONS", "10")
        .with("LATCHKEY__SERVER__WORKERS", "1");
    let server = env.serve();
    until_true("its first connections have ended", || server.status("/auth/verify", ADMIN) == 200);
    let idle: Vec<_> = (0..10).map(|_| connect(&server)).collect();
    for mut client in &idle {
        client.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").expect("sent");
        client.peek(&mut [0]).expect("a response");
    }
    let mut waiting = connect(&server);
    waiting.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("sent");
    waiting.set_nonblocking(true).expect("set");
    let early = waiting.peek(&mut [0]).expect_err("it waits");
    assert_eq!(early.kind(), io::ErrorKind::WouldBlock);
    waiting.set_nonblocking(false).expect("set");
    drop(idle);
    let mut response = String::new();
    waiting.read_to_string(&mut response).expect("a response");
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
}

#[test]
fn a_proxy_that_is_not_trusted_is_warned_of_once() {
    let warnings = |trusted: &str| {
        let server = TestEnv::on(Store::Sqlite).with("LATCHKEY__SERVER__TRUSTED_PROXIES", trusted).serve();
        for secret in [ADMIN, "unknown", ADMIN] {
            server.send(&Request::get(TOKENS).by(secret).header("x-forwarded-for", "203.0.113.9"));
        }
        let log = server.stop();
        log.lines().filter(|line| line.contains("X-Forwarded-For of a peer that is no trusted proxy")).count()
    };
    assert_eq!(warnings(""), 1);
    assert_eq!(warnings("127.0.0.1"), 0);
}
