//! `/api/admin/user/sessions` and `…/{id}`

use std::time::Duration;

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, PASSWORD, SESSION, TestApp};
use serde_json::{Value, json};

use super::ME;
use crate::expectations::{event_count, newest_event};

const SESSIONS: &str = "/api/admin/user/sessions";

fn list() -> TestRequest {
    TestRequest::get().uri(SESSIONS)
}

fn end(id: &Value) -> TestRequest {
    TestRequest::delete().uri(&format!("{SESSIONS}/{}", id.as_str().expect("text")))
}

async fn sessions(app: &TestApp, cookie: &str) -> Vec<Value> {
    app.send_with(cookie, list()).await.json()["sessions"].as_array().expect("sessions").clone()
}

#[actix_web::test]
async fn a_user_lists_own_sessions_oldest_first_with_the_current_one_marked() {
    let app = TestApp::new().await;
    let body = json!({"username": "Viewer", "password": PASSWORD});
    let browser = TestRequest::post().uri("/auth/simple/login").set_json(&body);
    let browser = browser.insert_header(("user-agent", "Mozilla/5.0"));
    app.send(As::Anonymous, browser.peer_addr("198.51.100.7:1".parse().expect("an address"))).await;
    app.sign_in("Editor").await;
    app.clock.advance(Duration::from_secs(1));
    let cookie = app.sign_in("Viewer").await;
    let mut sessions = app.send_with(&cookie, list()).await;
    assert_eq!(sessions.header("cache-control"), Some("no-store"));
    insta::assert_json_snapshot!(sessions.json(), {".sessions[].id" => "[uuid]"}, @r#"
    {
      "sessions": [
        {
          "address": "198.51.100.7",
          "createdAt": "2023-04-19T08:15:14.000Z",
          "current": false,
          "expiresAt": "2023-04-19T09:15:14.000Z",
          "id": "[uuid]",
          "userAgent": "Mozilla/5.0"
        },
        {
          "address": null,
          "createdAt": "2023-04-19T08:15:15.000Z",
          "current": true,
          "expiresAt": "2023-04-19T09:15:15.000Z",
          "id": "[uuid]",
          "userAgent": null
        }
      ]
    }
    "#);
    let secret = cookie.trim_start_matches("latchkey-session=");
    assert!(!String::from_utf8_lossy(&sessions.bytes).contains(secret));
    sessions = app.get(As::Viewer, SESSIONS).await;
    assert_eq!(sessions.json()["sessions"].as_array().map(Vec::len), Some(2));
    assert!(!sessions.json().to_string().contains("true"), "a personal token is none of them");
}

#[actix_web::test]
async fn those_that_have_ended_are_not_among_them() {
    let app = TestApp::new().await;
    app.sign_in("Viewer").await;
    app.clock.advance(SESSION);
    let cookie = app.sign_in("Viewer").await;
    assert_eq!(sessions(&app, &cookie).await.len(), 1);
}

#[actix_web::test]
async fn a_session_is_refused_from_the_answer_that_ends_it_on() {
    let app = TestApp::new().await;
    app.use_cases.follow_changes().await.expect("followed");
    let lost = app.sign_in("Viewer").await;
    assert_eq!(app.send_with(&lost, TestRequest::get().uri(ME)).await.status, 200);
    app.clock.advance(Duration::from_secs(1));
    let cookie = app.sign_in("Viewer").await;
    let id = sessions(&app, &cookie).await[0]["id"].clone();
    let answer = app.send_with(&cookie, end(&id)).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    app.send_with(&lost, TestRequest::get().uri(ME)).await.is(401, "AuthenticationRequired");
    let (kind, by, before, after) = newest_event(&app).await;
    assert_eq!((kind.as_str(), by.as_str(), after), ("session-ended", "viewer@example.com", Value::Null));
    assert_eq!(before["id"], id);
    app.send_with(&cookie, end(&id)).await.is(404, "NotFoundError");
    let own = sessions(&app, &cookie).await[0]["id"].clone();
    assert_eq!(app.send_with(&cookie, end(&own)).await.status, 200, "ones own of the moment too");
    app.send_with(&cookie, list()).await.is(401, "AuthenticationRequired");
}

#[actix_web::test]
async fn what_is_not_ones_own_is_not_found() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Viewer").await;
    let id = sessions(&app, &cookie).await[0]["id"].clone();
    let before = event_count(&app).await;
    for who in [As::Editor, As::Root] {
        app.send(who, end(&id)).await.is(404, "NotFoundError");
    }
    for unknown in ["9c40958a-daac-400e-98fb-3bb438567008", "1", "nosuch", "%20"] {
        app.send(As::Viewer, end(&json!(unknown))).await.is(404, "NotFoundError");
    }
    app.send(As::Viewer, end(&json!("%FF"))).await.is(400, "BadDataError");
    assert_eq!(event_count(&app).await, before);
    assert_eq!(app.send(As::Viewer, end(&id)).await.status, 200, "by a personal token, ones own");
    app.send_with(&cookie, list()).await.is(401, "AuthenticationRequired");
}

#[actix_web::test]
async fn only_users_may() {
    let app = TestApp::new().await;
    for (who, status, kind) in [
        (As::Anonymous, 401, "AuthenticationRequired"),
        (As::Unknown, 401, "UnauthorizedError"),
        (As::Admin, 403, "OperationDeniedError"),
        (As::Client, 403, "NoAccessError"),
    ] {
        app.send(who, list()).await.is(status, kind);
        app.send(who, end(&json!("nosuch"))).await.is(status, kind);
    }
}

#[actix_web::test]
async fn other_sites_cannot_have_a_browser_end_one() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Viewer").await;
    let id = sessions(&app, &cookie).await[0]["id"].clone();
    let asked = end(&id).insert_header(("origin", "https://evil.example"));
    app.send_with(&cookie, asked).await.is(403, "OperationDeniedError");
    assert_eq!(sessions(&app, &cookie).await.len(), 1);
}
