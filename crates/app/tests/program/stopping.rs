//! The end: asked for, insisted on, or sudden.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use crate::{
    home::Home,
    server::{Server, TOKENS, until},
};

const ADMIN: &str = "*:*.some-admin";

fn home() -> Home {
    Home::new().with("INIT_ADMIN_API_TOKENS", ADMIN)
}

/// Begins a creation, of which the last byte is still to be sent.
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
    // The server says so once it has read the head and waits for the body.
    let mut go_on = [0; 25];
    connection.read_exact(&mut go_on).expect("an interim answer");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    write!(connection, "{}", &body[..body.len() - 1]).expect("most of the body is sent");
    connection
}

#[test]
fn a_request_under_way_is_finished_before_the_end() {
    for signal in ["TERM", "INT"] {
        let home = home();
        let server = home.serve();
        let mut connection = begin_creation(&server);
        server.signal(signal);
        until("the beginning of the end", || server.stderr().contains("shutting down").then_some(()));
        write!(connection, "}}").expect("the end of the body is sent");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 201 "), "SIG{signal}: {answer}");
        let (status, log) = server.end();
        assert_eq!(status.code(), Some(0), "SIG{signal}: {log}");
        assert_eq!(home.serve().names(ADMIN), ["late"], "SIG{signal}");
    }
}

#[test]
fn an_idle_connection_does_not_hold_up_the_end() {
    let home = home();
    let server = home.serve();
    // The client keeps its connection for a next request that does not come.
    assert_eq!(server.status(TOKENS, ADMIN), 200);
    server.signal("TERM");
    let (status, log) = server.end();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[test]
fn ctrl_c_twice_ends_at_once() {
    let home = home();
    let server = home.serve();
    let connection = begin_creation(&server);
    server.signal("INT");
    until("the beginning of the end", || server.stderr().contains("shutting down").then_some(()));
    server.signal("INT");
    let (status, log) = server.end();
    assert_eq!(status.code(), Some(130), "{log}");
    drop(connection);
}

#[test]
fn what_was_answered_survives_a_crash() {
    let home = home();
    let server = home.serve();
    let secrets: Vec<String> =
        (0..5).map(|number| server.create(&format!("token-{number}"), ADMIN)).collect();
    server.crash();
    let server = home.serve();
    assert_eq!(server.names(ADMIN), ["token-0", "token-1", "token-2", "token-3", "token-4"]);
    for secret in secrets {
        // Known, and not allowed here: a client token.
        assert_eq!(server.status(TOKENS, &secret), 403);
    }
}

#[test]
fn when_a_token_was_last_seen_is_written_at_the_end() {
    let home = home();
    let server = home.serve();
    let secret = server.create("seen", ADMIN);
    assert_eq!(server.status(TOKENS, &secret), 403);
    server.signal("TERM");
    server.end();
    let list: serde_json::Value = home.serve().get(TOKENS, ADMIN).json().expect("a list");
    assert!(list["tokens"][0]["seenAt"].is_string(), "{list}");
}
