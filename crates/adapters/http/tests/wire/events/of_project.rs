//! `GET /api/admin/projects/{projectId}/events`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::json;

use super::types;
use crate::expectations::{READERS, only};

const PATH: &str = "/api/admin/projects/default/events";

#[actix_web::test]
async fn what_concerns_the_project_comes_newest_first() {
    let app = TestApp::new().await;
    app.post(As::Member, TOKENS, &json!({"tokenName": "x", "type": "client"})).await;
    app.put(As::Owner, "/api/admin/projects/default", &json!({"name": "New"})).await;
    app.put(As::Root, "/api/admin/projects/elsewhere", &json!({"name": "New"})).await;
    let body = app.get(As::Member, &format!("{PATH}?limit=2")).await.json();
    let shown: Vec<_> =
        body["events"].as_array().expect("events").iter().map(|event| &event["type"]).collect();
    assert_eq!(shown, ["project-updated", "api-token-created"]);
    assert_eq!(body["version"], 1);
    assert_eq!(body["totalEvents"], 4, "with the two members that there are from the start");
    let rest = types(&app, As::Member, &format!("{PATH}?offset=2&limit=nonsense")).await;
    assert_eq!(rest, ["project-access-added", "project-access-added"]);
}

#[actix_web::test]
async fn a_project_that_never_was_is_not_found() {
    let app = TestApp::new().await;
    for project in ["nope", "a%20b"] {
        let path = format!("/api/admin/projects/{project}/events");
        app.get(As::Editor, &path).await.is(404, "NotFoundError");
        app.get(As::Member, &path).await.is(403, "NoAccessError");
    }
}

#[actix_web::test]
async fn only_those_who_may_read_its_tokens_may() {
    let app = TestApp::new().await;
    only(&app, READERS, 200, || TestRequest::get().uri(PATH)).await;
}
