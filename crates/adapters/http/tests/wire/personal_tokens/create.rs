//! `POST …/user/tokens`

use std::time::Duration;

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, PERSONAL_TOKENS, TOKENS, TestApp};
use serde_json::{Value, json};

use super::PATS;
use crate::expectations::{faults, newest_event, newest_events};

const ME: &str = "/api/admin/user";

fn body() -> Value {
    json!({"description": "ci", "expiresAt": "2030-01-01T00:00:00Z"})
}

fn request() -> TestRequest {
    TestRequest::post().uri(PATS)
}

async fn made(app: &TestApp, who: As, body: &Value) -> Value {
    let answer = app.post(who, PATS, body).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()
}

#[actix_web::test]
async fn the_secret_is_shown_this_once() {
    let app = TestApp::new().await;
    let asked = json!({
        "description": " ci ", "expiresAt": "2030-01-01T00:00:00Z", "userId": 99, "secret": "user:abc", "id": 7, "foo": 1
    });
    let answer = app.post(As::Viewer, PATS, &asked).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (201, None));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let mut token = answer.json();
    let secret = token["secret"].as_str().expect("text").to_owned();
    assert!(secret.starts_with("user:"), "{secret}");
    token["secret"] = json!("[secret]");
    insta::assert_json_snapshot!(token, @r#"
    {
      "createdAt": "2023-04-19T08:15:14.000Z",
      "description": "ci",
      "expiresAt": "2030-01-01T00:00:00.000Z",
      "id": 7,
      "secret": "[secret]",
      "seenAt": null,
      "userId": 3
    }
    "#);
    let list = app.get(As::Viewer, PATS).await;
    assert!(!String::from_utf8_lossy(&list.bytes).contains("secret"), "and never again");
    let (kind, by, before, after) = newest_event(&app).await;
    assert_eq!((kind.as_str(), by.as_str(), before), ("pat-created", "viewer@example.com", Value::Null));
    assert_eq!((&after["description"], &after["id"]), (&json!("ci"), &token["id"]));
    let random = secret.trim_start_matches("user:");
    assert!(!json!(newest_events(&app, 100).await).to_string().contains(random));
}

#[actix_web::test]
async fn it_acts_with_its_users_permissions_of_the_moment() {
    let app = TestApp::new().await;
    app.use_cases.follow_changes().await.expect("followed");
    let secret = made(&app, As::Viewer, &body()).await["secret"].as_str().expect("text").to_owned();
    let asked = || TestRequest::get().uri(TOKENS);
    app.send_by(&secret, asked()).await.is(403, "NoAccessError");
    app.member(&app.user_of(As::Viewer).await, "default", "Member").await;
    assert_eq!(app.send_by(&format!("Bearer {secret}"), asked()).await.status, 200);
    let me = app.send_by(&secret, TestRequest::get().uri(ME)).await.json();
    assert_eq!(me["user"]["username"], "Viewer");
}

#[actix_web::test]
async fn it_is_refused_from_its_end_on() {
    let app = TestApp::new().await;
    let asked = json!({"description": "short", "expiresAt": "2023-04-19T08:15:15Z"});
    let secret = made(&app, As::Viewer, &asked).await["secret"].as_str().expect("text").to_owned();
    app.clock.advance(Duration::from_millis(999));
    assert_eq!(app.send_by(&secret, TestRequest::get().uri(ME)).await.status, 200);
    app.clock.advance(Duration::from_millis(1));
    app.send_by(&secret, TestRequest::get().uri(ME)).await.is(401, "UnauthorizedError");
    assert_eq!(
        app.get(As::Viewer, PATS).await.json()["pats"].as_array().map(Vec::len),
        Some(2),
        "still listed"
    );
}

#[actix_web::test]
async fn descriptions_are_unique_among_a_users_own() {
    let app = TestApp::new().await;
    made(&app, As::Viewer, &body()).await;
    let answer = app.post(As::Viewer, PATS, &body()).await;
    answer.is(409, "NameExistsError");
    assert_eq!(answer.json()["message"], "A personal access token of this description exists already.");
    made(&app, As::Editor, &body()).await;
}

#[actix_web::test]
async fn a_user_has_no_more_tokens_than_the_limit() {
    let app = TestApp::new().await;
    let with =
        |number: u32| json!({"description": format!("d{number}"), "expiresAt": "2030-01-01T00:00:00Z"});
    // The first is there from the start.
    for number in 1..PERSONAL_TOKENS {
        made(&app, As::Viewer, &with(number)).await;
    }
    app.post(As::Viewer, PATS, &with(PERSONAL_TOKENS)).await.is(403, "OperationDeniedError");
    made(&app, As::Editor, &with(1)).await;
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let with = |member: &str, value: Value| {
        let mut body = body();
        body[member] = value;
        body
    };
    for (body, at) in [
        (json!({}), vec!["description", "expiresAt"]),
        (json!({"expiresAt": "2030-01-01T00:00:00Z"}), vec!["description"]),
        (json!({"description": "ci"}), vec!["expiresAt"]),
        (with("description", Value::Null), vec!["description"]),
        (with("description", json!("")), vec!["description"]),
        (with("description", json!("  ")), vec!["description"]),
        (with("description", json!("a\u{0}b")), vec!["description"]),
        (with("description", json!([])), vec!["description"]),
        (with("description", json!("d".repeat(501))), vec!["description"]),
        (with("expiresAt", Value::Null), vec!["expiresAt"]),
        (with("expiresAt", json!("zz")), vec!["expiresAt"]),
        (with("expiresAt", json!(1)), vec!["expiresAt"]),
        (with("expiresAt", json!("2016-12-31T23:59:60Z")), vec!["expiresAt"]),
        (with("expiresAt", json!("2023-04-19T08:15:14Z")), vec!["expiresAt"]),
        (with("expiresAt", json!("2001-01-01T00:00:00Z")), vec!["expiresAt"]),
    ] {
        let expected: Vec<_> = at.iter().map(|member| format!("/body/{member}")).collect();
        assert_eq!(faults(&app.post(As::Viewer, PATS, &body).await), expected, "{body}");
    }
    assert_eq!(faults(&app.post(As::Viewer, PATS, &json!([])).await), ["/body"]);
    app.send(As::Viewer, request().set_payload("{}")).await.is(415, "ContentTypeError");
    let typed = request().insert_header(("content-type", "application/json"));
    app.send(As::Viewer, typed.set_payload("{x")).await.is(400, "BadDataError");
    let large = request().insert_header(("content-type", "application/json"));
    app.send(As::Viewer, large.set_payload(vec![b' '; 1024 * 1024 + 1]))
        .await
        .is(413, "PayloadTooLargeError");
    assert_eq!(app.get(As::Viewer, PATS).await.json()["pats"].as_array().map(Vec::len), Some(1));
}

#[actix_web::test]
async fn a_description_may_be_long() {
    let app = TestApp::new().await;
    // The form that Unleash takes, and the longest.
    for length in [300, 500] {
        let asked = json!({"description": "d".repeat(length), "expiresAt": "2030-01-01T00:00:00Z"});
        assert_eq!(made(&app, As::Viewer, &asked).await["description"], asked["description"]);
    }
}

#[actix_web::test]
async fn only_users_may() {
    let app = TestApp::new().await;
    for who in [As::Viewer, As::Member, As::Editor, As::Root] {
        made(&app, who, &body()).await;
    }
    app.post(As::Anonymous, PATS, &json!({})).await.is(401, "AuthenticationRequired");
    app.post(As::Unknown, PATS, &json!({})).await.is(401, "UnauthorizedError");
    app.post(As::Admin, PATS, &json!({})).await.is(403, "OperationDeniedError");
    app.post(As::Client, PATS, &json!({})).await.is(403, "NoAccessError");
    app.post(As::Frontend, PATS, &json!({})).await.is(403, "NoAccessError");
}

#[actix_web::test]
async fn other_sites_cannot_have_a_browser_create_one() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Viewer").await;
    let asked = || request().set_json(body());
    let evil = asked().insert_header(("origin", "https://evil.example"));
    app.send_with(&cookie, evil).await.is(403, "OperationDeniedError");
    let own =
        asked().insert_header(("origin", "http://localhost:8080")).insert_header(("host", "localhost:8080"));
    assert_eq!(app.send_with(&cookie, own).await.status, 201);
}
