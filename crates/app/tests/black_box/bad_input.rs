//! Invalid input: each kind is refused with a 4xx that states the reason, and changes nothing.

mod bodies;
mod members;
mod names;
mod paths;

use latchkey_testkit::{raw_http::Request, server::TOKENS};
use serde_json::{Value, json};

/// Returns a body that is valid except for this member.
fn body_with(member: &str, value: Value) -> Value {
    let mut body = json!({ "tokenName": "x", "type": "client", "environment": "development" });
    body[member] = value;
    body
}

fn padded(size: usize) -> String {
    let body = json!({ "tokenName": "x", "type": "client", "padding": "p".repeat(size) });
    body.to_string()
}

fn posted(body: impl Into<Vec<u8>>) -> Request {
    Request::new("POST", TOKENS).header("content-type", "application/json").body(body)
}
