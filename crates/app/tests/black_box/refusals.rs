//! Requests that must be refused with a reason and without a change.

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::{Request, Response},
    server::{Server, TOKENS},
};
use serde_json::Value;

use crate::golden::expected::Expected;

/// A server on SQLite with one token, which refused requests must not change.
pub(crate) struct Guarded {
    env: TestEnv,
    server: Server,
    before: Vec<Value>,
}

impl Guarded {
    pub(crate) fn new() -> Self {
        let env = TestEnv::on(Store::Sqlite);
        let server = env.serve();
        server.create_token("there before");
        let before = server.tokens();
        assert_eq!(before.len(), 1);
        Self { env, server, before }
    }

    pub(crate) fn env(&self) -> &TestEnv {
        &self.env
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// Sends the request as admin: the answer must be this error, its message or details must name all of `words`, and
    /// nothing may have changed.
    #[track_caller]
    pub(crate) fn refuses(&self, request: &Request, status: u16, kind: &str, words: &[&str]) {
        let answer = self.server.as_admin(request.clone());
        assert_refused(&answer, status, kind, words, &format!("{request:.300?}"));
        self.assert_unchanged();
    }

    /// As [`Guarded::refuses`], for a body to create a token with.
    #[track_caller]
    pub(crate) fn refuses_body(&self, body: &Value, words: &[&str]) {
        self.refuses(&Request::post(TOKENS, body), 400, "BadDataError", words);
    }

    /// As [`Guarded::refuses_body`], for a body that is not JSON.
    #[track_caller]
    pub(crate) fn refuses_bytes(&self, body: impl Into<Vec<u8>>, words: &[&str]) {
        let request = Request::new("POST", TOKENS).header("content-type", "application/json").body(body);
        self.refuses(&request, 400, "BadDataError", words);
    }

    #[track_caller]
    pub(crate) fn assert_unchanged(&self) {
        assert_eq!(self.server.tokens(), self.before, "something was changed");
    }
}

/// Asserts that the response is this error in the form of the error object and contains all of `words`.
#[track_caller]
pub(crate) fn assert_refused(answer: &Response, status: u16, kind: &str, words: &[&str], what: &str) {
    let text = answer.text();
    let mut expected = Expected::error(status.into(), kind);
    // Other tests assert the members that only some kinds of errors have.
    for name in ["permissions", "path", "type"] {
        if let Some(value) = answer.json().get(name) {
            expected.body[name] = value.clone();
        }
    }
    if let Err(departure) = expected.departure(answer) {
        panic!("{what}: {departure}");
    }
    for word in words {
        assert!(text.contains(word), "{what}: {word:?} is not in {text}");
    }
    for inside in ["sqlite", "SQL", "diesel", "panicked", "src/"] {
        assert!(!text.contains(inside), "{what}: the answer tells of {inside}: {text}");
    }
}
