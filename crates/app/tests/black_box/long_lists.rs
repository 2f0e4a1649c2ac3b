//! Lists of tokens that are too long for one portion, so that they are streamed.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use latchkey_testkit::{
    env::{ADMIN, Store, TestEnv},
    raw_http::Request,
};

use crate::database::Records;

const ALL: &str = "/api/admin/api-tokens";

/// More than what the buffers between server and client hold, about 9 MB.
const MANY_TOKENS: &str = "\
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 16000) \
    INSERT INTO api_tokens (id, name, kind, all_projects, named_projects, environment, created_at, secret_digest, secret_key) \
    SELECT unhex(printf('%012x70008000%012x', 1900000000000 + n, n)), hex(zeroblob(50)), 'client', 1, 0, 'development', \
        1900000000000 + n, randomblob(32), x'00000000' FROM numbers";

#[test]
fn a_list_that_fails_half_way_does_not_look_complete() {
    let env = TestEnv::on(Store::Sqlite);
    let server = env.serve();
    let mut records = Records::of(&env);
    assert!(records.try_execute(MANY_TOKENS));
    let request = Request::get(ALL).by(ADMIN);
    let whole = server.send(&request);
    assert_eq!(whole.status, 200);
    assert!(whole.body.ends_with(b"}]}"));
    let head = server.send(&Request::new("HEAD", ALL).by(ADMIN));
    assert_eq!(head.header("content-length"), Some(whole.body.len().to_string().as_str()));
    assert_eq!(head.header("etag"), whole.header("etag"));

    // The status says success once the first byte is there; the last token cannot be shown any more.
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    stream.write_all(&request.bytes()).expect("sent");
    let mut received = vec![0];
    stream.read_exact(&mut received).expect("the first byte");
    assert!(
        records.try_execute("UPDATE api_tokens SET name = '' WHERE id = (SELECT max(id) FROM api_tokens)")
    );
    // Whether the connection is closed or reset, what was received stays.
    let _ = stream.read_to_end(&mut received);
    assert!(received.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(received.len() > whole.body.len() / 2, "{} bytes", received.len());
    assert!(!received.ends_with(b"0\r\n\r\n"), "the last chunk is missing");
    assert!(!received.ends_with(b"]}\r\n"), "and so is the end of the JSON");

    // A list that fails before its status is sent is an error.
    assert_eq!(server.send(&request).status, 500);
}
