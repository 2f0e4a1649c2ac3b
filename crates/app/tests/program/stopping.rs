//! Shutdown: graceful, forced by a second signal, or a crash.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use latchkey_testkit::{
    env::TestEnv,
    process::Signal,
    server::{Server, TOKENS},
    wait::until,
};

const ADMIN: &str = "*:*.some-admin-0123456789-0123456789-0123";

fn env() -> TestEnv {
    TestEnv::new().with("INIT_ADMIN_API_TOKENS", ADMIN)
}

/// Begins a request that creates a token, whose last byte is not sent yet.
fn begin_creation(server: &Server) -> TcpStream {
    let body = r#"{"tokenName":"late","type":"client"}"#;
    let mut connection = TcpStream::connect(server.address()).expect("a connection");
    write!(
        connection,
        "POST {TOKENS} HTTP/1.1\r\nhost: x\r\nauthorization: {ADMIN}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    )
    .expect("the head is sent");
    // The server responds so once it has read the head and waits for the body.
    let mut go_on = [0; 25];
    connection.read_exact(&mut go_on).expect("an interim answer");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    write!(connection, "{}", &body[..body.len() - 1]).expect("most of the body is sent");
    connection
}

#[test]
fn a_request_in_progress_is_finished_before_shutdown() {
    for signal in [Signal::TERM, Signal::INT] {
        let env = env();
        let server = env.serve();
        let mut connection = begin_creation(&server);
        server.signal(signal);
        until("the beginning of the end", || server.stderr().contains("shutting down").then_some(()));
        write!(connection, "}}").expect("the end of the body is sent");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 201 "), "{signal:?}: {answer}");
        let (status, log) = server.wait();
        assert_eq!(status.code(), Some(0), "{signal:?}: {log}");
        assert_eq!(env.serve().token_names_seen_by(ADMIN), ["late"], "{signal:?}");
    }
}

#[test]
fn an_idle_connection_does_not_delay_shutdown() {
    let env = env();
    let server = env.serve();
    // The client keeps its connection open without another request.
    assert_eq!(server.status(TOKENS, ADMIN), 200);
    server.signal(Signal::TERM);
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[test]
fn ctrl_c_twice_ends_at_once() {
    let env = env();
    let server = env.serve();
    let connection = begin_creation(&server);
    server.signal(Signal::INT);
    until("the beginning of the end", || server.stderr().contains("shutting down").then_some(()));
    server.signal(Signal::INT);
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(130), "{log}");
    drop(connection);
}

#[test]
fn acknowledged_writes_survive_a_crash() {
    let env = env();
    let server = env.serve();
    let secrets: Vec<String> =
        (0..5).map(|number| server.create_token_by(ADMIN, &format!("token-{number}"))).collect();
    server.crash();
    let server = env.serve();
    assert_eq!(server.token_names_seen_by(ADMIN), ["token-0", "token-1", "token-2", "token-3", "token-4"]);
    for secret in secrets {
        // A valid client token, which may not be used here.
        assert_eq!(server.status(TOKENS, &secret), 403);
    }
}

#[test]
fn last_use_is_written_at_shutdown() {
    let env = env();
    let server = env.serve();
    let secret = server.create_token_by(ADMIN, "seen");
    assert_eq!(server.status(TOKENS, &secret), 403);
    server.signal(Signal::TERM);
    server.wait();
    let tokens = env.serve().tokens_seen_by(ADMIN);
    assert!(tokens[0]["seenAt"].is_string(), "{tokens:?}");
}
