//! `POST …/user-admin/{id}/change-password`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, PASSWORD, TestApp};
use serde_json::{Value, json};

use super::{UNKNOWN_ID, path_of};
use crate::expectations::{ADMINS, faults, newest_events, only, refused_for};

fn path(id: i64) -> String {
    format!("{}/change-password", path_of(id))
}

async fn login(app: &TestApp, password: &str) -> u16 {
    let body = json!({"username": "Viewer", "password": password});
    app.post(As::Anonymous, "/auth/simple/login", &body).await.status.as_u16()
}

#[actix_web::test]
async fn the_new_password_counts_and_sessions_end() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Viewer").await;
    let answer = app.post(As::Root, &path(3), &json!({"password": "another horse"})).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    let events = newest_events(&app, 1).await;
    assert_eq!(events[0]["type"], "user-password-changed");
    assert_eq!(events[0]["data"], json!({"id": 3, "username": "Viewer", "email": "viewer@example.com"}));
    assert!(!events[0].to_string().contains("horse"), "never a secret");
    let me = TestRequest::get().uri("/api/admin/user").insert_header(("cookie", cookie));
    app.send(As::Anonymous, me).await.is(401, "AuthenticationRequired");
    assert_eq!((login(&app, PASSWORD).await, login(&app, "another horse").await), (401, 200));
}

#[actix_web::test]
async fn a_weak_one_is_refused_with_every_reason() {
    let app = TestApp::new().await;
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/password"]),
        (json!({"password": null}), &["/password"]),
        (json!({"password": ["x"]}), &["/password"]),
        (json!({"password": "short"}), &["/password"]),
        (json!({"password": "Password123"}), &["/password"]),
        (json!({"password": "VIEWER@example.com"}), &["/password"]),
        (json!({"password": "1111111111"}), &["/password"]),
        (json!({"password": "aaa"}), &["/password"]),
        (json!({"password": "abcde".repeat(26)}), &["/password"]),
    ];
    refused_for(&app, || TestRequest::post().uri(&path(3)), cases).await;
    assert_eq!(login(&app, PASSWORD).await, 200, "the old one stays");
}

#[actix_web::test]
async fn an_unknown_user_is_not_found() {
    let app = TestApp::new().await;
    let body = json!({"password": "another horse"});
    app.post(As::Admin, &path(UNKNOWN_ID), &body).await.is(404, "NotFoundError");
    let answer = app.post(As::Admin, "/api/admin/user-admin/x/change-password", &body).await;
    assert_eq!(faults(&answer), ["/params/id"]);
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 400, || TestRequest::post().uri(&path(4)).set_json(json!({}))).await;
}
