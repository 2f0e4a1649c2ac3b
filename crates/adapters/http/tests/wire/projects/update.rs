//! `PUT …/projects/{projectId}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::{DEFAULT, PROJECTS};
use crate::expectations::{OWNERS, event_count, newest_event, only, refused_for};

#[actix_web::test]
async fn what_is_sent_changes_and_an_event_says_so() {
    let app = TestApp::new().await;
    let asked = json!({"id": "other", "name": "New", "description": "Changed.", "mode": "private"});
    let answer = app.put(As::Owner, DEFAULT, &asked).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    let body = app.get(As::Owner, DEFAULT).await.json();
    let shown = json!([body["id"], body["name"], body["description"], body["mode"]]);
    assert_eq!(shown, json!(["default", "New", "Changed.", "private"]));
    let before = json!({
        "id": "default", "name": "Default", "description": "Default project", "mode": "open", "archivedAt": null
    });
    let after = json!({
        "id": "default", "name": "New", "description": "Changed.", "mode": "private", "archivedAt": null
    });
    let event = ("project-updated".to_owned(), "owner@example.com".to_owned(), before, after);
    assert_eq!(newest_event(&app).await, event);
    app.get(As::Viewer, DEFAULT).await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn what_is_absent_stays_and_a_change_to_nothing_new_is_none() {
    let app = TestApp::new().await;
    let (project, before) = (app.get(As::Owner, DEFAULT).await.json(), event_count(&app).await);
    for asked in [json!({}), json!({"name": "Default"}), json!({"mode": null, "description": null})] {
        assert_eq!(app.put(As::Owner, DEFAULT, &asked).await.status, 200, "{asked}");
    }
    assert_eq!((app.get(As::Owner, DEFAULT).await.json(), event_count(&app).await), (project, before));
    app.put(As::Owner, DEFAULT, &json!({"description": ""})).await;
    assert_eq!(app.get(As::Owner, DEFAULT).await.json().get("description"), None, "an empty one is none");
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let cases: &[(Value, &[&str])] = &[
        (json!([]), &[""]),
        (json!({"name": ""}), &["/name"]),
        (json!({"mode": "OPEN"}), &["/mode"]),
        (json!({"name": [], "description": [], "mode": {}}), &["/description", "/mode", "/name"]),
    ];
    refused_for(&app, || TestRequest::put().uri(DEFAULT), cases).await;
}

#[actix_web::test]
async fn the_project_is_looked_for_last() {
    let app = TestApp::new().await;
    let path = format!("{PROJECTS}/nope");
    app.put(As::Owner, &path, &json!({"name": "x"})).await.is(403, "NoAccessError");
    app.put(As::Editor, &path, &json!({"name": ""})).await.is(400, "BadDataError");
    app.put(As::Editor, &path, &json!({"name": "x"})).await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn only_those_who_may_change_the_project_may() {
    let app = TestApp::new().await;
    only(&app, OWNERS, 400, || TestRequest::put().uri(DEFAULT).set_json(json!({"mode": "x"}))).await;
}
