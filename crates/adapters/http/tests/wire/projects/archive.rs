//! `POST …/projects/archive/{projectId}` and `…/revive/{projectId}`

use actix_web::{http::Method, test::TestRequest};
use latchkey_domain::{ProjectScope, TokenKind};
use latchkey_testkit::{
    app::{As, TestApp},
    samples::{access, project_id},
};
use serde_json::json;

use super::{PROJECTS, made, seen};
use crate::expectations::{event_count, newest_event, only};

const ARCHIVE: &str = "/api/admin/projects/archive/elsewhere";
const REVIVE: &str = "/api/admin/projects/revive/elsewhere";

#[actix_web::test]
async fn a_project_goes_to_the_archive_and_comes_back() {
    let app = TestApp::new().await;
    let secret = app.token(access(TokenKind::Client, ProjectScope::one(project_id("elsewhere")))).await;
    let answer = app.method(As::Editor, Method::POST, ARCHIVE).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0), "without a body");
    assert_eq!(seen(&app, As::Viewer, "").await, ["default"]);
    let open = json!({"id": "elsewhere", "name": "elsewhere", "description": "", "mode": "open", "archivedAt": null});
    let mut archived = open.clone();
    archived["archivedAt"] = json!("2023-04-19T08:15:14.000Z");
    let by = || "editor@example.com".to_owned();
    let event = ("project-archived".to_owned(), by(), open.clone(), archived.clone());
    assert_eq!(newest_event(&app).await, event);
    let valid = app.post(As::Anonymous, "/edge/validate", &json!({"tokens": [secret]})).await.json();
    assert_eq!(valid["tokens"].as_array().expect("tokens").len(), 1, "its tokens go on working");

    let answer = app.method(As::Editor, Method::POST, REVIVE).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!(seen(&app, As::Viewer, "").await, ["default", "elsewhere"]);
    assert_eq!(newest_event(&app).await, ("project-revived".to_owned(), by(), archived, open));
}

#[actix_web::test]
async fn a_second_time_nothing_changes() {
    let app = TestApp::new().await;
    app.method(As::Editor, Method::POST, ARCHIVE).await;
    let before = event_count(&app).await;
    assert_eq!(app.method(As::Editor, Method::POST, ARCHIVE).await.status, 200);
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn the_default_project_stays() {
    let app = TestApp::new().await;
    let answer = app.method(As::Root, Method::POST, "/api/admin/projects/archive/default").await;
    answer.is(403, "OperationDeniedError");
}

#[actix_web::test]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    for what in ["archive", "revive"] {
        let path = format!("{PROJECTS}/{what}/nope");
        app.method(As::Editor, Method::POST, &path).await.is(404, "NotFoundError");
        app.method(As::Owner, Method::POST, &path).await.is(403, "NoAccessError");
    }
}

#[actix_web::test]
async fn only_those_who_may_delete_the_project_may() {
    let app = TestApp::new().await;
    let allowed = &[As::Editor, As::Root, As::Admin];
    for path in [ARCHIVE, REVIVE] {
        only(&app, allowed, 200, || TestRequest::post().uri(path).set_payload("{")).await;
    }
}

/// The path of the archive takes precedence over a project `archive`.
#[actix_web::test]
async fn a_project_that_is_called_as_a_part_of_a_path_goes_to_the_archive_too() {
    let app = TestApp::new().await;
    let tokens = app.get(As::Root, "/api/admin/api-tokens").await.json();
    for project in ["access", "api-tokens", "environments", "events", "overview"] {
        made(&app, As::Admin, &json!({"id": project, "name": project})).await;
        let path = format!("{PROJECTS}/{project}/overview");
        for (what, is_archived) in [("archive", true), ("revive", false)] {
            let done = app.post(As::Root, &format!("{PROJECTS}/{what}/{project}"), &json!({})).await;
            assert_eq!(done.status, 200, "{what} {project}");
            assert_eq!(
                app.get(As::Root, &path).await.json()["archivedAt"].is_string(),
                is_archived,
                "{project}"
            );
        }
    }
    assert_eq!(app.get(As::Root, "/api/admin/api-tokens").await.json(), tokens, "no token was made");
}
