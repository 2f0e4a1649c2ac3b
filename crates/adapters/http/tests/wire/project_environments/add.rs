//! `POST …/environments`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::{ENVIRONMENTS, held};
use crate::expectations::{OWNERS, event_count, newest_events, only, refused_for};

async fn with_staging() -> TestApp {
    let app = TestApp::new().await;
    let body = json!({"name": "staging", "type": "test", "sortOrder": 1});
    assert_eq!(app.post(As::Root, "/api/admin/environments", &body).await.status, 201);
    app
}

#[actix_web::test]
async fn the_project_has_it_then() {
    let app = with_staging().await;
    let answer = app.post(As::Owner, ENVIRONMENTS, &json!({"environment": "staging"})).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!(held(&app).await, ["staging", "development", "production"]);
    let event = newest_events(&app, 1).await.remove(0);
    let shown =
        json!([event["type"], event["createdBy"], event["project"], event["environment"], event["data"]]);
    let expected = json!(["project-environment-added", "owner@example.com", "default", "staging", null]);
    assert_eq!(shown, expected);
    assert_eq!(
        event["summary"],
        "**owner@example.com** added environment **staging** to project **default**"
    );
}

#[actix_web::test]
async fn a_second_time_is_a_conflict() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    let answer = app.post(As::Owner, ENVIRONMENTS, &json!({"environment": "production"})).await;
    answer.is(409, "NameExistsError");
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/environment"]),
        (json!([]), &[""]),
        (json!({"environment": null}), &["/environment"]),
        (json!({"environment": 1}), &["/environment"]),
        (json!({"environment": ""}), &["/environment"]),
        (json!({"environment": "*"}), &["/environment"]),
        (json!({"environment": "nope"}), &["/environment"]),
    ];
    refused_for(&app, || TestRequest::post().uri(ENVIRONMENTS), cases).await;
}

#[actix_web::test]
async fn the_project_is_looked_for_last() {
    let app = TestApp::new().await;
    let path = "/api/admin/projects/nope/environments";
    let body = json!({"environment": "production"});
    app.post(As::Owner, path, &body).await.is(403, "NoAccessError");
    app.post(As::Editor, path, &json!({})).await.is(400, "BadDataError");
    app.post(As::Editor, path, &body).await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn only_those_who_may_change_the_project_may() {
    let app = TestApp::new().await;
    only(&app, OWNERS, 400, || TestRequest::post().uri(ENVIRONMENTS).set_json(json!({}))).await;
}
