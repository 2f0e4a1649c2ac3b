//! Bad input: each kind is refused with a 4xx that says why, and changes nothing.

use serde_json::{Value, json};

use crate::{
    ground::{Ground, Store},
    refusals::{Guarded, assert_refused},
    server::{TOKENS, percent_encoded},
    wire::Call,
};

const MEGABYTE: usize = 1024 * 1024;

/// A body that is right but for the member given.
fn body_with(member: &str, value: Value) -> Value {
    let mut body = json!({ "tokenName": "x", "type": "client", "environment": "development" });
    body[member] = value;
    body
}

fn padded(size: usize) -> String {
    let body = json!({ "tokenName": "x", "type": "client", "padding": "p".repeat(size) });
    body.to_string()
}

fn posted(body: impl Into<Vec<u8>>) -> Call {
    Call::new("POST", TOKENS).header("content-type", "application/json").body(body)
}

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
    for body in ["", " ", "{", "{\"tokenName\":}", "{} {}", "{'type': 'client'}", "tokenName=x", "\u{feff}{}"] {
        guarded.refuses_bytes(body, &["JSON"]);
    }
}

#[test]
fn numbers_and_other_things_where_strings_belong() {
    let guarded = Guarded::new();
    for member in ["tokenName", "username", "type", "environment", "expiresAt", "project"] {
        for value in [json!(5), json!(1.5), json!(true), json!(["a"]), json!({ "a": 1 })] {
            let mut body = body_with(member, value);
            if member == "username" {
                body.as_object_mut().expect("an object").remove("tokenName");
            }
            guarded.refuses_body(&body, &[member, &format!("\"path\":\"/body/{member}\"")]);
        }
    }
    for value in [json!(5), json!("default"), json!({ "a": 1 }), json!([5]), json!([null]), json!([["default"]])] {
        guarded.refuses_body(&body_with("projects", value), &["projects", "\"path\":\"/body/projects"]);
    }
}

#[test]
fn nothing_where_something_is_required() {
    let guarded = Guarded::new();
    guarded.refuses_body(&json!({}), &["/body/type", "/body/tokenName"]);
    guarded.refuses_body(&json!({ "type": "client" }), &["/body/tokenName"]);
    guarded.refuses_body(&json!({ "tokenName": "x" }), &["/body/type"]);
    for member in ["tokenName", "type"] {
        guarded.refuses_body(&body_with(member, Value::Null), &[&format!("/body/{member}")]);
    }
}

#[test]
fn values_that_no_token_can_have() {
    let guarded = Guarded::new();
    for (member, value) in [
        ("type", "bogus"), ("type", ""), ("type", "admin"), ("type", "client "),
        ("tokenName", ""), ("tokenName", " \t\n"),
        ("environment", "nope"), ("environment", "*"), ("environment", ""), ("environment", "Development"),
        ("environment", "development "), ("environment", "a/b"),
        ("project", ""), ("project", "*"), ("project", "nope"), ("project", "Default"), ("project", "default,default"),
        ("expiresAt", ""), ("expiresAt", "tomorrow"), ("expiresAt", "2030-01-01"), ("expiresAt", "2030-02-30T00:00:00Z"),
        ("expiresAt", "2030-01-01T24:00:00Z"), ("expiresAt", "2030-01-01T00:00:00+99:99"),
        ("expiresAt", " 2030-01-01T00:00:00Z"), ("expiresAt", "99999-01-01T00:00:00Z"),
    ] {
        guarded.refuses_body(&body_with(member, json!(value)), &[&format!("\"path\":\"/body/{member}\"")]);
    }
}

#[test]
fn members_that_exclude_each_other() {
    let guarded = Guarded::new();
    guarded.refuses_body(&body_with("username", json!("y")), &["tokenName", "username"]);
    let mut both = body_with("project", json!("default"));
    both["projects"] = json!(["default"]);
    guarded.refuses_body(&both, &["project", "projects"]);
}

#[test]
fn a_body_of_ten_megabytes() {
    let guarded = Guarded::new();
    let body = padded(10 * MEGABYTE);
    guarded.refuses(posted(body.clone()), 413, "PayloadTooLargeError", &[]);
    guarded.refuses(posted(body).chunked(), 413, "PayloadTooLargeError", &[]);
}

#[test]
fn a_body_may_have_one_megabyte_and_no_byte_more() {
    let guarded = Guarded::new();
    let overhead = padded(0).len();
    guarded.refuses(posted(padded(MEGABYTE + 1 - overhead)), 413, "PayloadTooLargeError", &[]);
    guarded.refuses(posted(padded(MEGABYTE + 1 - overhead)).chunked(), 413, "PayloadTooLargeError", &[]);
    assert_eq!(guarded.server().as_admin(posted(padded(MEGABYTE - overhead))).status, 201);
    assert_eq!(guarded.server().as_admin(posted(padded(MEGABYTE - overhead)).chunked()).status, 201);
}

#[test]
fn forty_kilobytes_of_brackets() {
    let guarded = Guarded::new();
    guarded.refuses_bytes("[".repeat(40_000), &["JSON"]);
    guarded.refuses_bytes("{\"a\":".repeat(40_000), &["JSON"]);
    let nested = format!("{{\"tokenName\":\"x\",\"type\":\"client\",\"a\":{}{}}}", "[".repeat(40_000), "]".repeat(40_000));
    guarded.refuses_bytes(nested, &[]);
}

#[test]
fn a_body_that_is_not_utf8() {
    let guarded = Guarded::new();
    guarded.refuses_bytes(b"{\"tokenName\":\"\xff\xfe\",\"type\":\"client\"}".to_vec(), &["UTF-8"]);
    guarded.refuses_bytes(b"\xff\xfe{\0}\0".to_vec(), &[]);
    // Half a pair of surrogates, which JSON can write and no text can hold.
    guarded.refuses_bytes(r#"{"tokenName":"\ud800","type":"client"}"#, &[]);
}

#[test]
fn a_body_of_another_type() {
    let guarded = Guarded::new();
    let body = body_with("type", json!("client")).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "nonsense"] {
        let call = Call::new("POST", TOKENS).header("content-type", kind).body(body.clone());
        guarded.refuses(call, 415, "ContentTypeError", &["application/json"]);
    }
    guarded.refuses(Call::new("POST", TOKENS).body(body), 415, "ContentTypeError", &["application/json"]);
}

#[test]
fn paths_with_escapes_of_what_no_name_can_hold() {
    let guarded = Guarded::new();
    for (escape, status, kind) in [("%00", 400, "BadDataError"), ("%FF", 400, "BadDataError"), ("%C3%28", 400, "BadDataError")] {
        for method in ["GET", "POST"] {
            let target = format!("/api/admin/projects/a{escape}b/api-tokens");
            let call = Call::new(method, &target).header("content-type", "application/json");
            let call = if method == "POST" { call.body(padded(0)) } else { call };
            guarded.refuses(call, status, kind, &[]);
        }
    }
    let target = format!("{TOKENS}/%FF");
    guarded.refuses(Call::delete(&target), 400, "BadDataError", &[]);
}

#[test]
fn an_escaped_slash_is_part_of_a_name() {
    let guarded = Guarded::new();
    for target in ["/api/admin/projects/a%2Fb/api-tokens", "/api/admin/projects/default%2Fapi-tokens", "/api/admin/projects/..%2Fprojects%2Fdefault/api-tokens"] {
        let answer = guarded.server().as_admin(Call::get(target));
        assert!([400, 404].contains(&answer.status), "{target}: {} {}", answer.status, answer.text());
        assert_refused(&answer, answer.status, &answer.kind(), &[], target);
    }
    let answer = guarded.server().delete("a/b");
    assert_refused(&answer, 404, "NotFoundError", &[], "a token with a slash");
    guarded.assert_unchanged();
}

#[test]
fn paths_that_are_none() {
    let guarded = Guarded::new();
    for target in ["/api/admin/projects/%/api-tokens", "/api/admin/projects/%4/api-tokens", "/api/admin/projects/%zz/api-tokens", "/api/admin/projects//api-tokens", "/api/admin/projects/../projects/default/api-tokens"] {
        let answer = guarded.server().as_admin(Call::get(target));
        assert!([400, 404].contains(&answer.status), "{target}: {} {}", answer.status, answer.text());
        assert_refused(&answer, answer.status, &answer.kind(), &[], target);
    }
    for target in [&"/x".repeat(2_000), &format!("/api/admin/projects/{}/api-tokens", "p".repeat(101))] {
        let answer = guarded.server().as_admin(Call::get(target));
        assert!((400..500).contains(&answer.status), "{:.50}: {} {}", target, answer.status, answer.text());
        assert_refused(&answer, answer.status, &answer.kind(), &[], "a long path");
    }
    guarded.assert_unchanged();
}

#[test]
fn names_of_256_characters_are_refused_and_of_255_kept() {
    let guarded = Guarded::new();
    for character in ["n", "é", "🎉", "א"] {
        guarded.refuses_body(&body_with("tokenName", json!(character.repeat(256))), &["tokenName", "255"]);
    }
    for character in ["n", "é", "🎉", "א"] {
        assert_keeps_name(&guarded, &character.repeat(255));
    }
}

#[test]
fn names_in_any_script_are_kept_as_they_are() {
    let guarded = Guarded::new();
    for name in ["日本語🎉", "👩‍👩‍👧‍👦", "שלום עולם", "\u{202e}txet", "a/b?c=d&e#f", "<script>alert(1)</script>", "'; DROP TABLE tokens; --", "e\u{301}", "\\u0000"] {
        assert_keeps_name(&guarded, name);
    }
}

/// A token of that name is created, listed and deleted again.
#[track_caller]
fn assert_keeps_name(guarded: &Guarded, name: &str) {
    let secret = guarded.server().create(name);
    let listed = guarded.server().tokens();
    assert!(listed.iter().any(|token| token["secret"] == *secret && token["tokenName"] == name), "{name}");
    assert_eq!(guarded.server().delete(&secret).status, 200);
    guarded.assert_unchanged();
}

#[test]
fn credentials_that_are_none() {
    let server = Ground::on(Store::Sqlite);
    let server = server.serve();
    for secret in ["é:*.unknown", "Bearer", "Bearer ", "Basic YTpi", "user:", "user:é", "*:*.", ":", "🎉", &"x".repeat(3_000), "a b c"] {
        let answer = server.send(&Call::get(TOKENS).by(secret));
        assert_eq!(answer.status, 401, "{secret:.50}: {}", answer.text());
        let kind = answer.kind();
        assert!(["UnauthorizedError", "AuthenticationRequired"].contains(&kind.as_str()), "{secret:.50}: {kind}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{secret:.50}");
    }
}

#[test]
fn tokens_to_delete_that_cannot_be_tokens() {
    let guarded = Guarded::new();
    for token in ["é", "🎉", "a b", &"x".repeat(1_025), "..", "*", "default:development."] {
        let target = format!("{TOKENS}/{}", percent_encoded(token));
        let answer = guarded.server().as_admin(Call::delete(&target));
        assert_refused(&answer, 404, "NotFoundError", &[], token);
        guarded.assert_unchanged();
    }
}
