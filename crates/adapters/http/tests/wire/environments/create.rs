//! `POST …/environments`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::ENVIRONMENTS;
use crate::expectations::{ADMINS, event_count, newest_event, only, refused_for};

#[actix_web::test]
async fn the_answer_is_the_environment_in_no_project_yet() {
    let app = TestApp::new().await;
    let asked =
        json!({"name": "staging", "type": "pre-production", "enabled": false, "sortOrder": -7, "x": 1});
    let answer = app.post(As::Root, ENVIRONMENTS, &asked).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (201, Some("environments/staging")));
    let expected = json!({
        "name": "staging", "type": "pre-production", "sortOrder": -7, "enabled": false, "protected": false,
        "requiredApprovals": null, "projectCount": 0, "apiTokenCount": 0
    });
    assert_eq!(answer.json(), expected);
    let data = json!({"name": "staging", "type": "pre-production", "sortOrder": -7, "enabled": false});
    let event = ("environment-created".to_owned(), "root@example.com".to_owned(), Value::Null, data);
    assert_eq!(newest_event(&app).await, event);
}

#[actix_web::test]
async fn it_is_on_and_last_unless_said_otherwise() {
    let app = TestApp::new().await;
    let body = app.post(As::Admin, ENVIRONMENTS, &json!({"name": "qa", "type": "test"})).await.json();
    assert_eq!((&body["enabled"], &body["sortOrder"]), (&json!(true), &json!(4)));
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    let with = |member: &str, value: Value| {
        let mut body = json!({"name": "x", "type": "test"});
        body[member] = value;
        body
    };
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/name", "/type"]),
        (json!("x"), &[""]),
        (with("name", json!("")), &["/name"]),
        (with("name", json!("a b")), &["/name"]),
        (with("name", json!("*")), &["/name"]),
        (with("name", json!("x".repeat(101))), &["/name"]),
        (with("name", json!(".")), &["/name"]),
        (with("name", json!("project")), &["/name"]),
        (with("name", json!("sort-order")), &["/name"]),
        (with("name", json!("update")), &["/name"]),
        (with("type", json!("stage")), &["/type"]),
        (with("type", json!("Production")), &["/type"]),
        (with("type", json!(null)), &["/type"]),
        (with("enabled", json!("true")), &["/enabled"]),
        (with("sortOrder", json!("1")), &["/sortOrder"]),
        (with("sortOrder", json!(1.5)), &["/sortOrder"]),
        (with("sortOrder", json!(2_147_483_648_i64)), &["/sortOrder"]),
        (
            json!({"name": [], "type": 2, "enabled": 3, "sortOrder": []}),
            &["/enabled", "/name", "/sortOrder", "/type"],
        ),
    ];
    refused_for(&app, || TestRequest::post().uri(ENVIRONMENTS), cases).await;
    assert_eq!(event_count(&app).await, before, "nothing was made");
}

#[actix_web::test]
async fn a_name_in_use_is_a_conflict() {
    let app = TestApp::new().await;
    let body = json!({"name": "production", "type": "test"});
    app.post(As::Admin, ENVIRONMENTS, &body).await.is(409, "NameExistsError");
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 400, || TestRequest::post().uri(ENVIRONMENTS).set_json(json!({}))).await;
}
