//! `Idempotency-Key` of the requests that create and rotate tokens.

use actix_web::test::TestRequest;
use latchkey_domain::{ProjectScope, TokenKind};
use latchkey_service::Reveal;
use latchkey_testkit::{
    app::{As, Response, TOKENS, TestApp},
    samples::{access, project_id},
};
use serde_json::{Value, json};

use crate::expectations::{faults, newest_events};

const ALL: &str = "/api/admin/api-tokens";
const BOTH: [&str; 2] = [TOKENS, ALL];

fn create(path: &str, key: &str, body: &Value) -> TestRequest {
    TestRequest::post().uri(path).insert_header(("idempotency-key", key)).set_json(body)
}

fn client(name: &str) -> Value {
    json!({ "tokenName": name, "type": "CLIENT" })
}

/// Expects the answer of a request that was sent again.
fn assert_replayed(first: &Response, again: &Response) {
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(again.header("idempotency-replayed"), Some("true"), "{}", again.json());
    assert_eq!((again.status, again.text()), (first.status, first.text()));
    for name in ["content-type", "location", "cache-control", "x-latchkey-warning"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
}

async fn count(app: &TestApp) -> usize {
    app.get(As::Root, TOKENS).await.json()["tokens"].as_array().expect("a list").len()
}

#[actix_web::test]
async fn a_request_that_is_sent_again_gets_the_first_answer() {
    for reveal in [Reveal::Always, Reveal::Once] {
        for route in BOTH {
            let app = TestApp::with(|settings| settings.use_cases.tokens.reveal = reveal).await;
            let one = json!({
                "tokenName": "x", "type": "backend", "project": "default", "foo": 1,
                "expiresAt": "2020-01-01T00:00:00Z",
            });
            let several = json!({ "tokens": [client("a"), client("b")] });
            for (path, body) in [(route.to_owned(), one), (format!("{route}/batch"), several)] {
                let first = app.send(As::Root, create(&path, "k-1", &body)).await;
                assert_eq!(first.status, 201, "{}", first.json());
                assert_eq!(first.header("location"), Some("api-tokens"));
                let before = newest_events(&app, 5).await;
                let again = app.send(As::Root, create(&path, "k-1", &body)).await;
                assert_replayed(&first, &again);
                assert_eq!(newest_events(&app, 5).await, before, "nothing is done again");
                let anew = app.send(As::Root, create(&path, "k-2", &body)).await;
                assert_ne!(anew.text(), first.text(), "another key is another request");
            }
        }
    }
}

#[actix_web::test]
async fn a_rotation_that_is_sent_again_gets_the_first_answer() {
    for reveal in [Reveal::Always, Reveal::Once] {
        for route in BOTH {
            let app = TestApp::with(|settings| settings.use_cases.tokens.reveal = reveal).await;
            let default = access(TokenKind::Client, ProjectScope::one(project_id("default")));
            let (secret, id) = app.token_and_id(default).await;
            // By the secret that the rotation replaces, then by the id; with and without an overlap, and without a body.
            let (by_secret, by_id) = (format!("{route}/{secret}/rotate"), format!("{route}/{id}/rotate"));
            for (path, key, body) in [
                (&by_secret, "a", Some(json!({ "overlap": "PT1H" }))),
                (&by_id, "b", Some(json!({ "overlap": "PT0S" }))),
                (&by_id, "c", None),
            ] {
                let request = || {
                    let request = TestRequest::post().uri(path).insert_header(("idempotency-key", key));
                    match &body {
                        Some(body) => request.set_json(body),
                        None => request,
                    }
                };
                let first = app.send(As::Root, request()).await;
                assert_eq!(first.status, 200, "{}", first.json());
                assert_replayed(&first, &app.send(As::Root, request()).await);
            }
        }
    }
}

#[actix_web::test]
async fn a_key_is_that_of_its_caller_and_operation() {
    let app = TestApp::without_quota().await;
    let first = app.send(As::Root, create(TOKENS, "k", &client("x"))).await;
    for (who, path) in [(As::Admin, TOKENS), (As::Owner, TOKENS), (As::Root, ALL)] {
        let other = app.send(who, create(path, "k", &client("x"))).await;
        assert_eq!((other.status.as_u16(), other.header("idempotency-replayed")), (201, None));
        assert_ne!(other.text(), first.text());
    }
    let cookie = app.sign_in("Root").await;
    let by_session = app.send_with(&cookie, create(TOKENS, "k", &client("x"))).await;
    assert_replayed(&first, &by_session);
}

#[actix_web::test]
async fn another_body_under_a_key_is_refused() {
    let app = TestApp::new().await;
    app.send(As::Root, create(TOKENS, "k", &client("x"))).await;
    let before = count(&app).await;
    let refused = app.send(As::Root, create(TOKENS, "k", &client("y"))).await;
    assert_eq!((refused.status.as_u16(), refused.json()["name"].as_str()), (422, Some("UnprocessableError")));
    assert_eq!(refused.json()["details"][0]["path"], json!("/headers/idempotency-key"));
    assert_eq!(count(&app).await, before);
}

#[actix_web::test]
async fn a_malformed_key_is_refused_after_missing_rights() {
    let app = TestApp::new().await;
    let longest = "k".repeat(255);
    for bad in ["", "a b", "\t", &"k".repeat(256), "\u{fc}"] {
        for path in [TOKENS.to_owned(), format!("{ALL}/batch"), format!("{TOKENS}/x/rotate")] {
            let body = if path.ends_with("batch") { json!({ "tokens": [client("x")] }) } else { client("x") };
            let refused = app.send(As::Root, create(&path, bad, &body)).await;
            assert_eq!(faults(&refused), ["/headers/idempotency-key"], "{bad:?} {path}");
            assert_eq!(app.send(As::Viewer, create(&path, bad, &body)).await.status, 403);
        }
    }
    let twice = create(TOKENS, "a", &client("x")).append_header(("idempotency-key", "b"));
    assert_eq!(faults(&app.send(As::Root, twice).await), ["/headers/idempotency-key"]);
    assert_eq!(app.send(As::Root, create(TOKENS, &longest, &client("x"))).await.status, 201);
    assert_eq!(count(&app).await, 1);
}

#[actix_web::test]
async fn a_refusal_is_not_kept() {
    let app = TestApp::new().await;
    let path = "/api/admin/projects/later/api-tokens";
    assert_eq!(app.send(As::Root, create(path, "k", &client("x"))).await.status, 404);
    app.project("later").await;
    assert_eq!(app.send(As::Root, create(path, "k", &client("x"))).await.status, 201);
}
