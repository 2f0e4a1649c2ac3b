//! `DELETE …/user/tokens/{id}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::PATS;
use crate::expectations::{event_count, faults, newest_event};

/// Creates a token for that user; returns its id and secret.
async fn made(app: &TestApp, who: As) -> (i64, String) {
    let body = json!({"description": "ci", "expiresAt": "2030-01-01T00:00:00Z"});
    let token = app.post(who, PATS, &body).await.json();
    (token["id"].as_i64().expect("an id"), token["secret"].as_str().expect("text").to_owned())
}

fn path(id: i64) -> String {
    format!("{PATS}/{id}")
}

#[actix_web::test]
async fn a_token_is_refused_from_the_answer_on() {
    let app = TestApp::new().await;
    app.use_cases.follow_changes().await.expect("followed");
    let (id, secret) = made(&app, As::Viewer).await;
    assert_eq!(app.send_by(&secret, TestRequest::get().uri(PATS)).await.status, 200);
    let answer = app.delete(As::Viewer, &path(id)).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    app.send_by(&secret, TestRequest::get().uri(PATS)).await.is(401, "UnauthorizedError");
    let (kind, by, before, after) = newest_event(&app).await;
    assert_eq!((kind.as_str(), by.as_str(), after), ("pat-deleted", "viewer@example.com", Value::Null));
    assert_eq!((&before["id"], &before["description"]), (&json!(id), &json!("ci")));
    app.delete(As::Viewer, &path(id)).await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn a_token_can_end_itself() {
    let app = TestApp::new().await;
    let (id, secret) = made(&app, As::Viewer).await;
    assert_eq!(app.send_by(&secret, TestRequest::delete().uri(&path(id))).await.status, 200);
    assert_eq!(app.send_by(&secret, TestRequest::get().uri(PATS)).await.status, 401);
}

#[actix_web::test]
async fn what_is_not_ones_own_is_not_found() {
    let app = TestApp::new().await;
    let (id, secret) = made(&app, As::Viewer).await;
    let before = event_count(&app).await;
    for who in [As::Editor, As::Root] {
        let answer = app.delete(who, &path(id)).await;
        answer.is(404, "NotFoundError");
        assert_eq!(answer.json()["message"], "No PAT found.");
    }
    for unknown in [-1, 0, 9_999, i64::MAX] {
        app.delete(As::Viewer, &path(unknown)).await.is(404, "NotFoundError");
    }
    assert_eq!(event_count(&app).await, before, "and leaves no event");
    assert_eq!(app.send_by(&secret, TestRequest::get().uri(PATS)).await.status, 200);
}

#[actix_web::test]
async fn an_id_is_an_integer() {
    let app = TestApp::new().await;
    for id in ["1.5", "x", "%20", "9223372036854775808", "1e3"] {
        let answer = app.delete(As::Viewer, &format!("{PATS}/{id}")).await;
        assert_eq!(faults(&answer), ["/params/id"], "{id}");
    }
}

#[actix_web::test]
async fn only_users_may() {
    let app = TestApp::new().await;
    let (id, _) = made(&app, As::Viewer).await;
    for path in [path(id), path(9_999), format!("{PATS}/x")] {
        app.delete(As::Anonymous, &path).await.is(401, "AuthenticationRequired");
        app.delete(As::Unknown, &path).await.is(401, "UnauthorizedError");
        app.delete(As::Admin, &path).await.is(403, "OperationDeniedError");
        app.delete(As::Client, &path).await.is(403, "NoAccessError");
    }
}

#[actix_web::test]
async fn other_sites_cannot_have_a_browser_delete_one() {
    let app = TestApp::new().await;
    let (id, _) = made(&app, As::Viewer).await;
    let cookie = app.sign_in("Viewer").await;
    let asked = TestRequest::delete().uri(&path(id)).insert_header(("sec-fetch-site", "cross-site"));
    app.send_with(&cookie, asked).await.is(403, "OperationDeniedError");
}
