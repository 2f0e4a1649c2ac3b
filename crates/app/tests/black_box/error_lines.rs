//! A line of level `ERROR` alerts an operator, so no request and no race between requests may cause one.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::Server,
};
use serde_json::json;

use crate::admin_races::race;

/// Stops the server and asserts that it logged no error.
#[track_caller]
pub(crate) fn assert_quiet(server: Server) {
    let said = server.stop();
    assert!(!said.contains("\"level\":\"ERROR\""), "{said}");
}

#[test]
fn malformed_http_is_not_logged_as_an_error() {
    let server = TestEnv::on(Store::Memory).serve();
    for sent in [
        "GET /api/admin/projects/\u{e9} HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "not a request at all\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(server.address()).expect("a connection");
        stream.write_all(sent.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 400 "), "{sent:?}: {answer:?}");
    }
    assert_quiet(server);
}

#[test]
fn a_body_that_never_arrives_is_not_logged_as_an_error() {
    let server = TestEnv::on(Store::Memory).with("LATCHKEY__SERVER__REQUEST_TIMEOUT", "1s").serve();
    for announced in ["Content-Length: 17", "Transfer-Encoding: chunked"] {
        let mut stream = TcpStream::connect(server.address()).expect("a connection");
        let head = format!(
            "POST /edge/validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{announced}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("sent");
        let mut answer = [0; 4_096];
        let length = stream.read(&mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(answer.get(..length).expect("within it"));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{announced}: {answer}");
        assert!(answer.contains("The body did not arrive within 500ms."), "{announced}: {answer}");
    }
    assert_quiet(server);
}

#[test]
fn thousands_of_guesses_are_not_logged_as_errors() {
    let server = TestEnv::on(Store::Memory).with("LATCHKEY__VERIFY__UNKNOWN_PER_SECOND", "1").serve();
    let validate = |attempt: &str| {
        let guesses: Vec<String> = (0..1_000).map(|number| format!("{attempt}-{number}")).collect();
        server.send(&Request::post("/edge/validate", &json!({ "tokens": guesses })))
    };
    // The first batch is one query; it uses up the budget, also that of a second that begins meanwhile.
    let answers = ["first", "second", "third"].map(validate);
    let refused = answers.iter().filter(|answer| answer.status == 503).count();
    assert!(refused > 0 && answers.iter().all(|answer| [200, 503].contains(&answer.status)));
    assert_quiet(server);
}

#[test]
fn of_two_concurrent_rotations_the_later_is_refused() {
    let server = TestEnv::on(Store::Sqlite).serve();
    for round in 0..20 {
        let secret = server.create_token(&format!("token-{round}"));
        let path = format!("/api/admin/api-tokens/{secret}/rotate");
        let rotations = [(); 2].map(|()| Request::post(&path, &json!({ "overlap": "PT1H" })));
        let mut answers = race(&server, round, rotations);
        answers.sort_by_key(|answer| answer.status);
        let [first, second] = &answers;
        match (first.status, second.status) {
            (200, 400) => assert!(second.text().contains("replaced by a rotation"), "{}", second.text()),
            (200, 503) => assert!(second.text().contains("changed by another request"), "{}", second.text()),
            _ => panic!("{} {}", first.text(), second.text()),
        }
    }
    assert_quiet(server);
}
