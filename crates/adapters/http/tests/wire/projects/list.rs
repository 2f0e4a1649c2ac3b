//! `GET …/projects`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::json;

use super::{PROJECTS, made, seen};
use crate::expectations::{SIGNED_IN, faults, only};

#[actix_web::test]
async fn projects_come_by_id_with_how_much_they_are_used() {
    let app = TestApp::new().await;
    app.post(As::Member, TOKENS, &json!({"tokenName": "x", "type": "client"})).await;
    let body = app.get(As::Viewer, PROJECTS).await.json();
    assert_eq!((&body["version"], &body["projects"][1]["id"]), (&json!(1), &json!("elsewhere")));
    let expected = json!({
        "id": "default", "name": "Default", "description": "Default project",
        "createdAt": "2023-04-19T08:15:14.000Z", "updatedAt": "2023-04-19T08:15:14.000Z", "archivedAt": null,
        "mode": "open", "memberCount": 2, "apiTokenCount": 1
    });
    assert_eq!(body["projects"][0], expected);
}

#[actix_web::test]
async fn a_private_project_is_listed_for_its_members_and_for_instance_permissions() {
    let app = TestApp::new().await;
    made(&app, As::Admin, &json!({"id": "hidden", "name": "Hidden", "mode": "private"})).await;
    app.post(As::Root, "/api/admin/projects/hidden/access", &json!({"users": [6], "roles": [5]})).await;
    let (with, without) = (["default", "elsewhere", "hidden"], ["default", "elsewhere"]);
    for who in [As::Admin, As::Root, As::Editor, As::MemberElsewhere] {
        assert_eq!(seen(&app, who, "").await, with, "{who:?}");
    }
    for who in [As::Viewer, As::Member, As::Owner] {
        assert_eq!(seen(&app, who, "").await, without, "{who:?}");
    }
}

#[actix_web::test]
async fn the_archive_is_a_list_of_its_own() {
    let app = TestApp::new().await;
    app.post(As::Root, "/api/admin/projects/archive/elsewhere", &json!({})).await;
    assert_eq!(seen(&app, As::Viewer, "").await, ["default"]);
    assert_eq!(seen(&app, As::Viewer, "?archived=false").await, ["default"]);
    assert_eq!(seen(&app, As::Viewer, "?archived=true").await, ["elsewhere"]);
}

#[actix_web::test]
async fn a_page_is_answered_when_asked_for() {
    let app = TestApp::new().await;
    assert_eq!(seen(&app, As::Viewer, "?limit=1&offset=1").await, ["elsewhere"]);
    let answer = app.get(As::Viewer, &format!("{PROJECTS}?archived=yes&limit=-1&offset=x")).await;
    assert_eq!(faults(&answer), ["/query/archived", "/query/limit", "/query/offset"]);
}

#[actix_web::test]
async fn all_signed_in_clients_may() {
    let app = TestApp::new().await;
    only(&app, SIGNED_IN, 200, || TestRequest::get().uri(PROJECTS)).await;
}
