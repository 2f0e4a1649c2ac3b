//! Malformed paths and credentials.

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::{TOKENS, percent_encoded},
};

use super::padded;
use crate::refusals::{Guarded, assert_refused};

#[test]
fn paths_with_escapes_of_what_no_name_can_hold() {
    let guarded = Guarded::new();
    for (escape, status, kind) in
        [("%00", 400, "BadDataError"), ("%FF", 400, "BadDataError"), ("%C3%28", 400, "BadDataError")]
    {
        for method in ["GET", "POST"] {
            let target = format!("/api/admin/projects/a{escape}b/api-tokens");
            let request = Request::new(method, &target).header("content-type", "application/json");
            let request = if method == "POST" { request.body(padded(0)) } else { request };
            guarded.refuses(&request, status, kind, &[]);
        }
    }
    let target = format!("{TOKENS}/%FF");
    guarded.refuses(&Request::delete(&target), 400, "BadDataError", &[]);
}

#[test]
fn an_escaped_slash_is_part_of_a_name() {
    let guarded = Guarded::new();
    for target in [
        "/api/admin/projects/a%2Fb/api-tokens",
        "/api/admin/projects/default%2Fapi-tokens",
        "/api/admin/projects/..%2Fprojects%2Fdefault/api-tokens",
    ] {
        let answer = guarded.server().as_admin(Request::get(target));
        assert!([400, 404].contains(&answer.status), "{target}: {} {}", answer.status, answer.text());
        assert_refused(&answer, answer.status, &answer.kind(), &[], target);
    }
    let answer = guarded.server().delete_token("a/b");
    assert_refused(&answer, 404, "NotFoundError", &[], "a token with a slash");
    guarded.assert_unchanged();
}

#[test]
fn paths_that_are_none() {
    let guarded = Guarded::new();
    for target in [
        "/api/admin/projects/%/api-tokens",
        "/api/admin/projects/%4/api-tokens",
        "/api/admin/projects/%zz/api-tokens",
        "/api/admin/projects//api-tokens",
        "/api/admin/projects/../projects/default/api-tokens",
    ] {
        let answer = guarded.server().as_admin(Request::get(target));
        assert!([400, 404].contains(&answer.status), "{target}: {} {}", answer.status, answer.text());
        assert_refused(&answer, answer.status, &answer.kind(), &[], target);
    }
    for target in [&"/x".repeat(2_000), &format!("/api/admin/projects/{}/api-tokens", "p".repeat(101))] {
        let answer = guarded.server().as_admin(Request::get(target));
        assert!((400..500).contains(&answer.status), "{:.50}: {} {}", target, answer.status, answer.text());
        assert_refused(&answer, answer.status, &answer.kind(), &[], "a long path");
    }
    guarded.assert_unchanged();
}

#[test]
fn malformed_credentials() {
    let server = TestEnv::on(Store::Sqlite);
    let server = server.serve();
    for secret in [
        "é:*.unknown",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "user:",
        "user:é",
        "*:*.",
        ":",
        "🎉",
        &"x".repeat(3_000),
        "a b c",
    ] {
        let answer = server.send(&Request::get(TOKENS).by(secret));
        assert_eq!(answer.status, 401, "{secret:.50}: {}", answer.text());
        let kind = answer.kind();
        assert!(
            ["UnauthorizedError", "AuthenticationRequired"].contains(&kind.as_str()),
            "{secret:.50}: {kind}"
        );
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{secret:.50}");
    }
}

#[test]
fn tokens_to_delete_that_cannot_be_tokens() {
    let guarded = Guarded::new();
    for token in ["é", "🎉", "a b", &"x".repeat(1_025), "..", "*", "default:development."] {
        let target = format!("{TOKENS}/{}", percent_encoded(token));
        let answer = guarded.server().as_admin(Request::delete(&target));
        assert_refused(&answer, 404, "NotFoundError", &[], token);
        guarded.assert_unchanged();
    }
}
