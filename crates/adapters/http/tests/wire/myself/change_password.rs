//! `POST /api/admin/user/change-password`

use std::net::SocketAddr;

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, PASSWORD, TestApp};
use serde_json::{Value, json};

use super::ME;
use crate::expectations::{faults, newest_event};

const PATH: &str = "/api/admin/user/change-password";
const NEW: &str = "battery staple";

fn body(old: &str, new: &str) -> Value {
    json!({"password": new, "confirmPassword": new, "oldPassword": old})
}

fn request(body: &Value) -> TestRequest {
    TestRequest::post().uri(PATH).set_json(body)
}

async fn can_sign_in(app: &TestApp, password: &str) -> bool {
    let body = json!({"username": "Viewer", "password": password});
    app.post(As::Anonymous, "/auth/simple/login", &body).await.status == 200
}

#[actix_web::test]
async fn the_new_password_counts_and_all_sessions_end() {
    let app = TestApp::new().await;
    app.use_cases.follow_changes().await.expect("followed");
    let (cookie, other) = (app.sign_in("Viewer").await, app.sign_in("Viewer").await);
    let answer = app.send_with(&cookie, request(&body(PASSWORD, NEW))).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    for cookie in [&cookie, &other] {
        app.send_with(cookie, TestRequest::get().uri(ME)).await.is(401, "AuthenticationRequired");
    }
    assert_eq!(app.get(As::Viewer, ME).await.status, 200, "personal tokens stay");
    let (kind, by, ..) = newest_event(&app).await;
    assert_eq!((kind.as_str(), by.as_str()), ("user-password-changed", "viewer@example.com"));
    assert!(!can_sign_in(&app, PASSWORD).await && can_sign_in(&app, NEW).await);
}

#[actix_web::test]
async fn the_old_password_has_to_be_known() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Viewer").await;
    let answer = app.send_with(&cookie, request(&body("wrong horse", NEW))).await;
    answer.is(401, "PasswordMismatch");
    assert_eq!(answer.header("www-authenticate"), None);
    assert!(can_sign_in(&app, PASSWORD).await && !can_sign_in(&app, NEW).await);
    assert_eq!(app.send_with(&cookie, TestRequest::get().uri(ME)).await.status, 200, "nothing has ended");
}

#[actix_web::test]
async fn guessing_the_old_password_is_slowed_down_as_signing_in_is() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Viewer").await;
    let peer: SocketAddr = "198.51.100.7:1".parse().expect("an address");
    for _ in 0..5 {
        let asked = request(&body("wrong horse", NEW)).peer_addr(peer);
        app.send_with(&cookie, asked).await.is(401, "PasswordMismatch");
    }
    let answer = app.send_with(&cookie, request(&body(PASSWORD, NEW)).peer_addr(peer)).await;
    answer.is(429, "RateLimitError");
    assert_eq!(answer.header("retry-after"), Some("1"));
    app.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(app.send_with(&cookie, request(&body(PASSWORD, NEW)).peer_addr(peer)).await.status, 200);
}

#[actix_web::test]
async fn the_new_password_has_to_be_good_and_written_twice_alike() {
    let app = TestApp::new().await;
    let without = |member: &str| {
        let mut body = body(PASSWORD, NEW);
        body.as_object_mut().expect("an object").remove(member);
        body
    };
    let with = |member: &str, value: Value| {
        let mut body = body(PASSWORD, NEW);
        body[member] = value;
        body
    };
    for (body, at) in [
        (json!({}), vec!["/confirmPassword", "/oldPassword", "/password"]),
        (json!([]), vec![""]),
        (without("password"), vec!["/password"]),
        (without("confirmPassword"), vec!["/confirmPassword"]),
        (without("oldPassword"), vec!["/oldPassword"]),
        (with("password", json!(5)), vec!["/password"]),
        (with("confirmPassword", json!("battery stable")), vec!["/confirmPassword"]),
        (with("oldPassword", Value::Null), vec!["/oldPassword"]),
        (body(PASSWORD, "short"), vec!["/password"]),
        (body(PASSWORD, &"x1y2".repeat(50)), vec!["/password"]),
        (body(PASSWORD, "password12"), vec!["/password"]),
        (body(PASSWORD, "aaaaaaaaaaaa"), vec!["/password"]),
        (body(PASSWORD, "VIEWER@example.com"), vec!["/password"]),
        (body(PASSWORD, "aaa"), vec!["/password"]),
    ] {
        let expected: Vec<_> = at.iter().map(|member| format!("/body{member}")).collect();
        let answer = app.post(As::Viewer, PATH, &body).await;
        assert_eq!(faults(&answer), expected, "{body}: {}", answer.json());
        assert!(!answer.json().to_string().contains(PASSWORD), "no password comes back");
    }
    app.send(As::Viewer, TestRequest::post().uri(PATH).set_payload("{}")).await.is(415, "ContentTypeError");
    assert!(can_sign_in(&app, PASSWORD).await, "nothing was changed");
}

#[actix_web::test]
async fn only_users_may() {
    let app = TestApp::new().await;
    app.post(As::Anonymous, PATH, &json!({})).await.is(401, "AuthenticationRequired");
    app.post(As::Admin, PATH, &json!({})).await.is(403, "OperationDeniedError");
    app.post(As::Client, PATH, &json!({})).await.is(403, "NoAccessError");
}

#[actix_web::test]
async fn a_service_account_has_no_password_to_change() {
    let app = TestApp::new().await;
    let account = json!({"username": "deploy", "rootRole": 3});
    let id = app.post(As::Root, "/api/admin/service-account", &account).await.json()["id"].clone();
    let token = json!({"description": "x", "expiresAt": "2030-01-01T00:00:00Z"});
    let path = format!("/api/admin/service-account/{id}/token");
    let secret = app.post(As::Root, &path, &token).await.json()["secret"].as_str().expect("text").to_owned();
    for old in ["", PASSWORD] {
        app.send_by(&secret, request(&body(old, NEW))).await.is(401, "PasswordMismatch");
    }
}

#[actix_web::test]
async fn other_sites_cannot_have_a_browser_change_it() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Viewer").await;
    let asked = request(&body(PASSWORD, NEW)).insert_header(("sec-fetch-site", "cross-site"));
    app.send_with(&cookie, asked).await.is(403, "OperationDeniedError");
    assert!(can_sign_in(&app, PASSWORD).await);
}
