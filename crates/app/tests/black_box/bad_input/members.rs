//! Members of a body that are missing, of the wrong type, or invalid.

use latchkey_testkit::{raw_http::Request, server::TOKENS};
use serde_json::{Value, json};

use super::body_with;
use crate::refusals::Guarded;

#[test]
fn numbers_where_no_number_can_be_meant() {
    let guarded = Guarded::new();
    for member in ["type", "environment", "expiresAt", "project"] {
        for value in [json!(5), json!(1.5), json!(true)] {
            // `project` names one of the projects, which are reported.
            let path = format!("\"path\":\"/body/{member}");
            guarded.refuses_body(&body_with(member, value), &[member, &path]);
        }
    }
}

#[test]
fn lists_and_other_things_where_strings_belong() {
    let guarded = Guarded::new();
    for member in ["tokenName", "username", "type", "environment", "expiresAt", "project"] {
        for value in [json!(["a"]), json!({ "a": 1 })] {
            let mut body = body_with(member, value);
            if member == "username" {
                body.as_object_mut().expect("an object").remove("tokenName");
            }
            guarded.refuses_body(&body, &[member, &format!("\"path\":\"/body/{member}\"")]);
        }
    }
    for value in
        [json!(5), json!("default"), json!({ "a": 1 }), json!([5]), json!([null]), json!([["default"]])]
    {
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
        ("type", "bogus"),
        ("type", ""),
        ("type", "admin"),
        ("type", "client "),
        ("tokenName", ""),
        ("tokenName", " \t\n"),
        ("environment", "nope"),
        ("environment", "*"),
        ("environment", ""),
        ("environment", "Development"),
        ("environment", "development "),
        ("environment", "a/b"),
        ("project", ""),
        ("project", "*"),
        ("project", "nope"),
        ("project", "Default"),
        ("project", "default,default"),
        ("expiresAt", ""),
        ("expiresAt", "tomorrow"),
        ("expiresAt", "2030-01-01"),
        ("expiresAt", "2030-02-30T00:00:00Z"),
        ("expiresAt", "2030-01-01T24:00:00Z"),
        ("expiresAt", "2030-01-01T00:00:00+99:99"),
        ("expiresAt", " 2030-01-01T00:00:00Z"),
        ("expiresAt", "99999-01-01T00:00:00Z"),
    ] {
        guarded.refuses_body(&body_with(member, json!(value)), &[&format!("\"path\":\"/body/{member}")]);
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
fn members_that_are_misspelt() {
    let guarded = Guarded::new();
    for (sent, meant) in [
        ("expires", "expiresAt"),
        ("expiresIn", "expiresAt"),
        ("expiry", "expiresAt"),
        ("expires_at", "expiresAt"),
        ("Description", "description"),
        ("enviroment", "environment"),
        ("projets", "projects"),
    ] {
        let words = [&*format!("did you mean {meant}?"), &format!("\"path\":\"/body/{sent}\"")];
        guarded.refuses_body(&body_with(sent, json!("2030-01-01T00:00:00Z")), &words);
    }
    let body = json!({ "tokens": [body_with("expiry", json!(null))] });
    let batch = Request::post(&format!("{TOKENS}/batch"), &body);
    guarded.refuses(&batch, 400, "BadDataError", &["expiresAt", "\"path\":\"/body/tokens/0/expiry\""]);
}

/// What is accepted for the sake of clients of Unleash, and what the response says of it, over a connection.
#[test]
fn members_that_are_ignored_are_named() {
    let guarded = Guarded::new();
    let server = guarded.server();
    let mut body = body_with("foo\r\nx: y", json!(1));
    body["expiresAt"] = json!("2001-01-01T00:00:00Z");
    let created = server.as_admin(Request::post(TOKENS, &body));
    let expected = "unknown-member;name=\"foo%0D%0Ax%3A%20y\", already-expired";
    assert_eq!((created.status, created.header("x-latchkey-warning")), (201, Some(expected)));
    assert_eq!(created.header("x"), None);

    let secret = created.json()["secret"].as_str().expect("a secret").to_owned();
    for expected in [None, Some("no-such-token")] {
        let deleted = server.as_admin(Request::delete(&format!("/api/admin/api-tokens/{secret}")));
        assert_eq!((deleted.status, deleted.header("x-latchkey-warning")), (200, expected));
    }
    guarded.assert_unchanged();
}
