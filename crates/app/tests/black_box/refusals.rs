//! Calls that must be refused, with a reason, and without changing anything.

use serde_json::Value;

use crate::{
    golden::expected::Expected,
    ground::{Ground, Store},
    server::{Server, TOKENS},
    wire::{Answer, Call},
};

/// A server on SQLite with one token, which whatever is refused must leave as it is.
pub(crate) struct Guarded {
    ground: Ground,
    server: Server,
    before: Vec<Value>,
}

impl Guarded {
    pub(crate) fn new() -> Self {
        let ground = Ground::on(Store::Sqlite);
        let server = ground.serve();
        server.create("there before");
        let before = server.tokens();
        assert_eq!(before.len(), 1);
        Self { ground, server, before }
    }

    pub(crate) fn ground(&self) -> &Ground {
        &self.ground
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// Sends the call as admin: the answer must be this error, its message or details must name all of `words`, and
    /// nothing may have changed.
    #[track_caller]
    pub(crate) fn refuses(&self, call: &Call, status: u16, kind: &str, words: &[&str]) {
        let answer = self.server.as_admin(call.clone());
        assert_refused(&answer, status, kind, words, &format!("{call:.300?}"));
        self.assert_unchanged();
    }

    /// As [`Guarded::refuses`], for a body to create a token with.
    #[track_caller]
    pub(crate) fn refuses_body(&self, body: &Value, words: &[&str]) {
        self.refuses(&Call::post(TOKENS, body), 400, "BadDataError", words);
    }

    /// As [`Guarded::refuses_body`], for a body that is no JSON value.
    #[track_caller]
    pub(crate) fn refuses_bytes(&self, body: impl Into<Vec<u8>>, words: &[&str]) {
        let call = Call::new("POST", TOKENS).header("content-type", "application/json").body(body);
        self.refuses(&call, 400, "BadDataError", words);
    }

    #[track_caller]
    pub(crate) fn assert_unchanged(&self) {
        assert_eq!(self.server.tokens(), self.before, "something was changed");
    }
}

/// The answer is this error, as the contract's error object, and says all of `words`.
#[track_caller]
pub(crate) fn assert_refused(answer: &Answer, status: u16, kind: &str, words: &[&str], what: &str) {
    let text = answer.text();
    let mut expected = Expected::error(status.into(), kind);
    // What an error of its kind has beside the common members is another test's matter.
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
