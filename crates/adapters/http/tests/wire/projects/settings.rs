//! `PUT …/projects/{projectId}/settings`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::{DEFAULT, PROJECTS};
use crate::expectations::{OWNERS, event_count, newest_event, only, refused_for};

const SETTINGS: &str = "/api/admin/projects/default/settings";

#[actix_web::test]
async fn the_mode_changes_and_an_event_says_so() {
    let app = TestApp::new().await;
    let asked = json!({
        "mode": "private", "defaultStickiness": "userId", "featureNaming": {"pattern": "^x"}, "linkTemplates": []
    });
    let answer = app.put(As::Owner, SETTINGS, &asked).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    let body = app.get(As::Owner, DEFAULT).await.json();
    assert_eq!(json!([body["mode"], body["name"]]), json!(["private", "Default"]));
    let (kind, by, before, after) = newest_event(&app).await;
    assert_eq!((kind.as_str(), by.as_str()), ("project-updated", "owner@example.com"));
    assert_eq!((&before["mode"], &after["mode"]), (&json!("open"), &json!("private")));
}

#[actix_web::test]
async fn what_is_absent_stays_and_a_change_to_nothing_new_is_none() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    for asked in [json!({}), json!({"mode": null}), json!({"mode": "open"})] {
        assert_eq!(app.put(As::Owner, SETTINGS, &asked).await.status, 200, "{asked}");
    }
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let cases: &[(Value, &[&str])] = &[(json!([]), &[""]), (json!({"mode": "OPEN"}), &["/mode"])];
    refused_for(&app, || TestRequest::put().uri(SETTINGS), cases).await;
    let path = format!("{PROJECTS}/nope/settings");
    app.put(As::Owner, &path, &json!({})).await.is(403, "NoAccessError");
    app.put(As::Editor, &path, &json!({"mode": "open"})).await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn only_those_who_may_change_the_project_may() {
    let app = TestApp::new().await;
    only(&app, OWNERS, 400, || TestRequest::put().uri(SETTINGS).set_json(json!({"mode": "x"}))).await;
}
