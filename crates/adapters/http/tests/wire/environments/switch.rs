//! `POST …/environments/{name}/on` and `…/off`

use actix_web::{http::Method, test::TestRequest};
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::json;

use super::DEVELOPMENT;
use crate::expectations::{ADMINS, event_count, newest_event, only};

fn path(what: &str) -> String {
    format!("{DEVELOPMENT}/{what}")
}

#[actix_web::test]
async fn an_environment_goes_off_and_on() {
    let app = TestApp::new().await;
    for (what, enabled) in [("off", false), ("on", true)] {
        let answer = app.method(As::Root, Method::POST, &path(what)).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (204, 0), "{what}");
        assert_eq!(app.get(As::Viewer, DEVELOPMENT).await.json()["enabled"], enabled);
        let (kind, _, before, after) = newest_event(&app).await;
        assert_eq!((kind.as_str(), &before["enabled"]), ("environment-updated", &json!(!enabled)));
        assert_eq!(after["enabled"], enabled);
    }
}

#[actix_web::test]
async fn a_second_time_nothing_changes() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    assert_eq!(app.method(As::Root, Method::POST, &path("on")).await.status, 204);
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn tokens_can_be_made_for_one_that_is_off() {
    let app = TestApp::new().await;
    app.method(As::Root, Method::POST, &path("off")).await;
    let body = json!({"tokenName": "x", "type": "client", "environment": "development"});
    assert_eq!(app.post(As::Member, TOKENS, &body).await.status, 201);
}

#[actix_web::test]
async fn a_request_body_is_ignored() {
    let app = TestApp::new().await;
    for (kind, payload) in [("application/json", "{}"), ("application/json", "{"), ("text/plain", "x")] {
        let request = TestRequest::post().uri(&path("off")).insert_header(("content-type", kind));
        let answer = app.send(As::Admin, request.set_payload(payload)).await;
        assert_eq!(answer.status, 204, "{kind} {payload}");
    }
}

#[actix_web::test]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    for what in ["on", "off"] {
        for name in ["nope", "a%20b"] {
            let path = format!("/api/admin/environments/{name}/{what}");
            app.method(As::Admin, Method::POST, &path).await.is(404, "NotFoundError");
        }
    }
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    for what in ["on", "off"] {
        only(&app, ADMINS, 204, || TestRequest::post().uri(&path(what))).await;
    }
}
