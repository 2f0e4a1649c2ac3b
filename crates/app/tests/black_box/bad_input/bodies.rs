//! Bodies that are not a JSON object, too long, too deep, or of another content type.

use latchkey_testkit::{raw_http::Request, server::TOKENS};
use serde_json::json;

use super::{body_with, padded, posted};
use crate::refusals::Guarded;

const MEGABYTE: usize = 1024 * 1024;

#[test]
fn a_body_that_is_not_an_object() {
    let guarded = Guarded::new();
    for body in ["[]", "[{}]", "null", "true", "5", "\"text\""] {
        guarded.refuses_bytes(body, &["object"]);
    }
}

#[test]
fn a_body_that_is_not_json() {
    let guarded = Guarded::new();
    for body in [" ", "{", "{\"tokenName\":}", "{} {}", "{'type': 'client'}", "tokenName=x", "\u{feff}{}"] {
        guarded.refuses_bytes(body, &["JSON"]);
    }
}

#[test]
fn a_body_of_ten_megabytes() {
    let guarded = Guarded::new();
    let body = padded(10 * MEGABYTE);
    guarded.refuses(&posted(body.clone()), 413, "PayloadTooLargeError", &[]);
    guarded.refuses(&posted(body).chunked(), 413, "PayloadTooLargeError", &[]);
}

#[test]
fn a_body_may_have_one_megabyte_and_no_byte_more() {
    let guarded = Guarded::new();
    let overhead = padded(0).len();
    guarded.refuses(&posted(padded(MEGABYTE + 1 - overhead)), 413, "PayloadTooLargeError", &[]);
    guarded.refuses(&posted(padded(MEGABYTE + 1 - overhead)).chunked(), 413, "PayloadTooLargeError", &[]);
    assert_eq!(guarded.server().as_admin(posted(padded(MEGABYTE - overhead))).status, 201);
    assert_eq!(guarded.server().as_admin(posted(padded(MEGABYTE - overhead)).chunked()).status, 201);
}

#[test]
fn forty_kilobytes_of_brackets() {
    let guarded = Guarded::new();
    guarded.refuses_bytes("[".repeat(40_000), &["JSON"]);
    guarded.refuses_bytes("{\"a\":".repeat(40_000), &["JSON"]);
    let nested = format!(
        "{{\"tokenName\":\"x\",\"type\":\"client\",\"a\":{}{}}}",
        "[".repeat(40_000),
        "]".repeat(40_000)
    );
    guarded.refuses_bytes(nested, &[]);
}

#[test]
fn a_body_that_is_not_utf8() {
    let guarded = Guarded::new();
    guarded.refuses_bytes(b"{\"tokenName\":\"\xff\xfe\",\"type\":\"client\"}".to_vec(), &["UTF-8"]);
    guarded.refuses_bytes(b"\xff\xfe{\0}\0".to_vec(), &[]);
    // A lone surrogate, which JSON can encode and UTF-8 cannot.
    guarded.refuses_bytes(r#"{"tokenName":"\ud800","type":"client"}"#, &[]);
}

#[test]
fn a_body_of_another_type() {
    let guarded = Guarded::new();
    let body = body_with("type", json!("client")).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "nonsense"] {
        let request = Request::new("POST", TOKENS).header("content-type", kind).body(body.clone());
        guarded.refuses(&request, 415, "ContentTypeError", &["application/json"]);
    }
    guarded.refuses(&Request::new("POST", TOKENS).body(body), 415, "ContentTypeError", &["application/json"]);
}
