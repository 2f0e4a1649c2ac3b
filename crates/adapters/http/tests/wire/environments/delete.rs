//! `DELETE …/environments/{name}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::json;

use super::{DEVELOPMENT, ENVIRONMENTS};
use crate::expectations::{ADMINS, event_count, newest_events, only};

#[actix_web::test]
async fn its_tokens_are_revoked_each_with_an_event() {
    let app = TestApp::new().await;
    let body = |environment| json!({"tokenName": environment, "type": "client", "environment": environment});
    let doomed = app.post(As::Member, TOKENS, &body("production")).await.json()["secret"].clone();
    let kept = app.post(As::Member, TOKENS, &body("development")).await.json()["secret"].clone();
    let answer = app.delete(As::Root, "/api/admin/environments/production").await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    let valid = app.post(As::Anonymous, "/edge/validate", &json!({"tokens": [doomed, kept]})).await.json();
    let secrets: Vec<_> =
        valid["tokens"].as_array().expect("tokens").iter().map(|one| &one["token"]).collect();
    assert_eq!(secrets, [&kept]);
    let events = newest_events(&app, 2).await;
    let shown: Vec<_> = events
        .iter()
        .map(|event| {
            json!([event["type"], event["createdBy"], event["environment"], event["project"], event["data"]])
        })
        .collect();
    let expected = json!([
        ["environment-deleted", "root@example.com", "production", null, null],
        ["api-token-deleted", "root@example.com", "production", "default", null],
    ]);
    assert_eq!(json!(shown), expected);
    let before = json!({"name": "production", "type": "production", "sortOrder": 3, "enabled": true});
    assert_eq!(events[0]["preData"], before);
}

#[actix_web::test]
async fn it_leaves_all_projects() {
    let app = TestApp::new().await;
    app.delete(As::Root, DEVELOPMENT).await;
    let project = app.get(As::Viewer, "/api/admin/projects/default").await.json();
    assert_eq!(project["environments"], json!([{"environment": "production"}]));
    app.get(As::Viewer, DEVELOPMENT).await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn a_second_deletion_is_not_found() {
    let app = TestApp::new().await;
    app.delete(As::Root, DEVELOPMENT).await;
    let before = event_count(&app).await;
    for name in ["development", "nope", "a%20b", "*"] {
        app.delete(As::Root, &format!("{ENVIRONMENTS}/{name}")).await.is(404, "NotFoundError");
    }
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 404, || TestRequest::delete().uri("/api/admin/environments/nope")).await;
}
