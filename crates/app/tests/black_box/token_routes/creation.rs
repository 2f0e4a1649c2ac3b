//! Creating a token: the response and the event.

use latchkey_testkit::{
    env::{ADMIN, Store},
    raw_http::Request,
    server::TOKENS,
};
use serde_json::{Value, json};

use super::fixtures::{FIRST, Fixture, assert_members_in_order};
use crate::{database::WrittenEvent, refusals::assert_refused};

pub(super) fn a_creation_answers_the_token_and_leaves_an_event(store: Store) {
    let fixture = Fixture::on(store);
    let body = json!({
        "username": "  named  ", "type": "FrontEnd", "environment": "production", "project": "default",
        "expiresAt": "2030-01-01T02:00:00.123456+02:00", "unknown": [1],
    });
    let created = fixture.post(&body);
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(created.header("content-type"), Some("application/json"));
    assert!(created.header("location").is_some_and(|location| !location.is_empty()), "a Location");
    assert_members_in_order(&created.text());
    let token = created.json();
    let secret = token["secret"].as_str().expect("a secret");
    assert!(secret.starts_with("default:production.") && secret.len() >= 19 + 33, "{secret}");
    for (field, value) in [
        ("tokenName", json!("named")),
        ("username", json!("named")),
        ("type", json!("frontend")),
        ("environment", json!("production")),
        ("project", json!("default")),
        ("projects", json!(["default"])),
        ("expiresAt", json!("2030-01-01T00:00:00.123Z")),
        ("seenAt", Value::Null),
        ("alias", Value::Null),
    ] {
        assert_eq!(token[field], value, "{field}");
    }
    assert!(fixture.server.tokens().contains(&token), "the list has it as the creation answered it");
    if let Some(event) = fixture.events().last() {
        assert_tells_of_creation(event);
    }
}

fn assert_tells_of_creation(event: &WrittenEvent) {
    assert_eq!((event.kind.as_str(), event.actor.as_str()), ("api-token-created", "admin"));
    assert_eq!(
        (&event.projects[..], &event.environment),
        (&["default".to_owned()][..], &json!("production"))
    );
    assert_eq!((&event.before, &event.after["tokenName"]), (&Value::Null, &json!("named")));
    assert_eq!(event.after.get("secret"), None, "no secret in {}", event.after);
}

pub(super) fn defaults_and_other_spellings_of_a_creation(store: Store) {
    let fixture = Fixture::on(store);
    for (body, kind) in [
        (json!({ "tokenName": "x", "type": "client" }), "client"),
        (json!({ "tokenName": "x", "type": "backend", "expiresAt": null }), "backend"),
        (json!({ "tokenName": "x", "type": "CLIENT", "projects": ["default"] }), "client"),
        (json!({ "tokenName": "x", "type": "frontend", "projects": [] }), "frontend"),
    ] {
        let created = fixture.post(&body);
        assert_eq!(created.status, 201, "{body}: {}", created.text());
        let token = created.json();
        assert_eq!((&token["type"], &token["environment"]), (&json!(kind), &json!("development")), "{body}");
        assert_eq!((&token["projects"], &token["expiresAt"]), (&json!(["default"]), &Value::Null), "{body}");
    }
    let past =
        fixture.post(&json!({ "tokenName": "x", "type": "client", "expiresAt": "2001-01-01T00:00:00Z" }));
    assert_eq!(past.status, 201, "{}", past.text());
    let expired =
        fixture.server.send(&Request::get(TOKENS).by(past.json()["secret"].as_str().expect("a secret")));
    assert_eq!((expired.status, expired.kind().as_str()), (401, "UnauthorizedError"), "expired at once");
}

pub(super) fn creation_checks_come_in_order(store: Store) {
    let fixture = Fixture::on(store);
    let before = fixture.server.tokens().len();
    let (unknown, bad) = ("/api/admin/projects/nope/api-tokens", json!({ "type": 5 }));
    let good = json!({ "tokenName": "x", "type": "client" });
    let status = |request: Request| fixture.server.send(&request).status;
    assert_eq!(status(Request::post(unknown, &bad)), 401);
    assert_eq!(status(Request::post(unknown, &bad).by(FIRST)), 403);
    if let Some(others) = &fixture.others {
        assert_eq!(status(Request::post(unknown, &bad).by(&others.viewer)), 403);
        assert_eq!(status(Request::post(TOKENS, &bad).by(&others.viewer)), 403);
    }
    assert_eq!(status(Request::post(unknown, &bad).by(ADMIN)), 400);
    assert_eq!(status(Request::post(unknown, &good).by(ADMIN)), 404);
    for (member, value) in [
        ("type", json!("admin")),
        ("projects", json!(["p2"])),
        ("environment", json!("nope")),
        ("environment", json!("*")),
    ] {
        let mut body = good.clone();
        body[member] = value;
        assert_refused(&fixture.post(&body), 400, "BadDataError", &[&format!("/body/{member}")], member);
    }
    assert_eq!(fixture.server.tokens().len(), before);
}
