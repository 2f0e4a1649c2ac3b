//! Input that breaks Unleash (`docs/reference/wire-contract.md`, "Differences from Unleash"): here it gets a 4xx with the
//! reason, never a hang, a 5xx or a scope wider than requested.

use latchkey_testkit::{
    env::{ADMIN, NewToken, Store, TestEnv},
    raw_http::Request,
    server::{TOKENS, percent_encoded},
};
use serde_json::{Value, json};

use crate::{
    database::Records,
    refusals::{Guarded, assert_refused},
};

fn body(projects: &Value) -> Value {
    json!({ "tokenName": "x", "type": "client", "environment": "development", "projects": projects })
}

#[test]
fn defect_01_other_projects_are_answered_and_refused() {
    let guarded = Guarded::new();
    guarded.env().create_project("p2");
    for projects in [
        json!(["p2"]),
        json!(["*"]),
        json!(["default", "p2"]),
        json!(["default", "*"]),
        json!([""]),
        json!(["nope"]),
    ] {
        guarded.refuses_body(&body(&projects), &["/body/projects"]);
    }
}

#[test]
fn defect_02_without_projects_the_path_names_the_project() {
    let guarded = Guarded::new();
    for extra in [
        json!({}),
        json!({ "project": "default" }),
        json!({ "projects": ["default"] }),
        json!({ "projects": [] }),
    ] {
        let mut body = json!({ "tokenName": "x", "type": "client" });
        body.as_object_mut().expect("an object").extend(extra.as_object().cloned().expect("an object"));
        let answer = guarded.server().as_admin(Request::post(TOKENS, &body));
        assert_eq!(answer.status, 201, "{body}: {}", answer.text());
        assert_eq!(answer.json()["projects"], json!(["default"]), "{body}");
        assert_eq!(answer.json()["project"], "default", "{body}");
    }
}

#[test]
fn defect_03_a_project_named_twice_is_refused() {
    let guarded = Guarded::new();
    guarded.refuses_body(&body(&json!(["default", "default"])), &["/body/projects"]);
}

#[test]
fn defect_04_nul_and_undecodable_escapes_are_refused() {
    let guarded = Guarded::new();
    let mut named = body(&json!(["default"]));
    named["tokenName"] = json!("a\0b");
    guarded.refuses_body(&named, &["/body/tokenName", "control"]);
    for member in ["environment", "type", "expiresAt"] {
        let mut other = body(&json!(["default"]));
        other[member] = json!("a\0b");
        guarded.refuses_body(&other, &[&format!("/body/{member}")]);
    }
    guarded.refuses_body(&body(&json!(["a\0b"])), &["/body/projects"]);
    for target in ["/api/admin/projects/%00/api-tokens", "/api/admin/projects/%FF/api-tokens"] {
        guarded.refuses(&Request::get(target), 400, "BadDataError", &[]);
    }
    for escape in ["%FF", "%00"] {
        let answer = guarded.server().as_admin(Request::delete(&format!("{TOKENS}/{escape}")));
        assert!([400, 404].contains(&answer.status), "{escape}: {}", answer.text());
        assert_refused(&answer, answer.status, &answer.kind(), &[], escape);
    }
    guarded.assert_unchanged();
}

#[test]
fn defect_05_an_expiry_that_is_no_moment_is_refused() {
    let guarded = Guarded::new();
    for end in [
        "2016-12-31T23:59:60Z",
        "2030-01-01T00:00:00+02",
        "2030-01-01T00:00:00+24:00",
        "2029-02-29T00:00:00Z",
    ] {
        let mut body = body(&json!(["default"]));
        body["expiresAt"] = json!(end);
        guarded.refuses_body(&body, &["/body/expiresAt"]);
    }
}

#[test]
fn defect_06_a_token_outside_ascii_is_an_unknown_token() {
    let guarded = Guarded::new();
    let known = guarded.server().tokens()[0]["secret"].as_str().expect("a secret").to_owned();
    let same_length: String = known.chars().take(known.chars().count() - 1).chain(['é']).collect();
    for token in [same_length, format!("é{}", &ADMIN[1..])] {
        let target = format!("{TOKENS}/{}", percent_encoded(&token));
        guarded.refuses(&Request::delete(&target), 404, "NotFoundError", &[]);
        let answer = guarded.server().send(&Request::get(TOKENS).by(&token));
        assert_refused(&answer, 401, "UnauthorizedError", &[], &token);
    }
}

#[test]
fn defect_08_an_admin_token_sees_only_the_project_and_deletes_nothing_else() {
    let guarded = Guarded::new();
    guarded.env().create_project("p2");
    let wide = guarded.env().create_token(&NewToken::default());
    let elsewhere = guarded.env().create_token(&NewToken { projects: &["p2"], ..NewToken::default() });
    for token in [&wide, &elsewhere, &ADMIN.to_owned()] {
        let target = format!("{TOKENS}/{}", percent_encoded(token));
        guarded.refuses(&Request::delete(&target), 404, "NotFoundError", &[]);
    }
    let unknown = Request::delete("/api/admin/projects/nope/api-tokens/x");
    guarded.refuses(&unknown, 404, "NotFoundError", &[]);
    // All three still do their work.
    guarded.assert_unchanged();
    for token in [wide, elsewhere] {
        let answer = guarded.server().send(&Request::get(TOKENS).by(&token));
        assert_eq!(answer.status, 403, "a client token: {}", answer.text());
    }
}

#[test]
fn defect_09_no_projects_never_means_all_projects() {
    let guarded = Guarded::new();
    let answer = guarded.server().as_admin(Request::post(TOKENS, &body(&json!([]))));
    let text = answer.text();
    assert_eq!(answer.status, 201, "an empty list counts as absent: {text}");
    assert_eq!(answer.json()["projects"], json!(["default"]), "{text}");
    assert!(
        answer.json()["secret"].as_str().expect("a secret").starts_with("default:development."),
        "{text}"
    );
}

#[test]
fn defect_10_a_project_whose_row_is_gone_leaves_no_wider_token() {
    for store in [Store::Sqlite, Store::Postgres] {
        let env = TestEnv::on(store);
        let server = env.serve();
        env.create_project("p2");
        env.create_token(&NewToken { projects: &["p2"], ..NewToken::default() });
        let mut records = Records::of(&env);
        // The database may refuse it or delete the token with it; no token may become wider.
        records.try_execute("DELETE FROM projects WHERE id = 'p2'");
        assert_eq!(records.count("api_tokens WHERE all_projects"), 1, "{store:?}: the admin token alone");
        assert_eq!(server.tokens(), Vec::<Value>::new(), "{store:?}");
    }
}

#[test]
fn defect_22_a_user_with_an_unknown_role_is_not_made_at_all() {
    for store in [Store::Sqlite, Store::Postgres] {
        let env = TestEnv::on(store);
        let _server = env.serve();
        let made = env.command("").args(["user", "create", "--username", "u1", "--role", "Nope"]).output();
        let made = made.expect("it runs");
        assert!(!made.status.success());
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(said.contains("Nope") && said.contains("Viewer"), "{store:?}: {said}");
        let mut records = Records::of(&env);
        assert_eq!((records.count("users"), records.events("user-created")), (0, 0), "{store:?}");
        env.create_user("u1", "Viewer");
        assert_eq!((records.count("users"), records.events("user-created")), (1, 1), "{store:?}");
    }
}

#[test]
fn defect_24_the_event_of_a_token_of_two_projects_is_found_under_both() {
    for store in [Store::Sqlite, Store::Postgres] {
        let env = TestEnv::on(store);
        let _server = env.serve();
        env.create_project("p2");
        env.create_token(&NewToken { projects: &["default", "p2"], ..NewToken::default() });
        let events = Records::of(&env).token_events();
        let event = events.last().expect("an event");
        assert_eq!(
            (event.kind.as_str(), &event.projects[..]),
            ("api-token-created", &["default".to_owned(), "p2".to_owned()][..]),
            "{store:?}"
        );
        assert_eq!(event.after["projects"], json!(["default", "p2"]), "{store:?}");
    }
}

#[test]
fn defect_25_the_event_of_a_users_deletion_names_the_project() {
    for store in [Store::Sqlite, Store::Postgres] {
        let env = TestEnv::on(store);
        let server = env.serve();
        let editor = env.create_caller("editor", "Editor");
        let secret = server.create_token("doomed");
        let request = Request::delete(&format!("{TOKENS}/{}", percent_encoded(&secret))).by(&editor);
        assert_eq!(server.send(&request).status, 200);
        let events = Records::of(&env).token_events();
        let event = events.last().expect("an event");
        assert_eq!((event.kind.as_str(), event.actor.as_str()), ("api-token-deleted", "editor"), "{store:?}");
        assert_eq!(event.projects, ["default"], "{store:?}");
        assert_eq!(event.environment, "development", "{store:?}");
        assert_eq!(
            (&event.before["tokenName"], &event.before["projects"]),
            (&json!("doomed"), &json!(["default"]))
        );
    }
}
