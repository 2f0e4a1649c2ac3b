//! A hostile world: a full disk, a silent database, a clock that jumps, clients that hold connections or guess secrets.
//!
//! `just hostile` runs these and prints the figures of `docs/operate/outages.md`. Other runs leave them out: they mount file
//! systems, for which they must be root, and take minutes.

mod clients;
mod clock;
mod disk;
mod silence;

use std::time::{Duration, Instant};

use latchkey_testkit::{
    raw_http::Request,
    server::{Server, TOKENS},
};
use serde_json::json;

#[expect(clippy::disallowed_methods, reason = "how long a real server really takes is what is measured here")]
fn now() -> Instant {
    Instant::now()
}

/// Runs something, and returns how long it took.
fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = now();
    let result = run();
    (result, start.elapsed())
}

/// Returns the status of a verification.
fn verify(server: &Server, secret: &str) -> u16 {
    server.status("/auth/verify", secret)
}

/// Returns a request that creates a token.
fn creation(name: &str) -> Request {
    Request::post(TOKENS, &json!({ "tokenName": name, "type": "client" }))
}
