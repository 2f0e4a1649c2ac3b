//! `GET …/groups` and `GET …/groups/{groupId}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use super::{GROUPS, group, path_of};
use crate::expectations::{ADMINS, faults, only};

#[actix_web::test]
async fn groups_come_by_id_with_members_and_projects() {
    let app = TestApp::new().await;
    assert_eq!(app.get(As::Root, GROUPS).await.json(), json!({"groups": []}));
    let (b, a) = (group(&app, "b", &[3, 5]).await, group(&app, "a", &[]).await);
    for project in ["elsewhere", "default"] {
        let access = format!("/api/admin/projects/{project}/access");
        app.post(As::Root, &access, &json!({"users": [], "groups": [b], "roles": [5]})).await;
    }
    let body = app.get(As::Admin, GROUPS).await.json();
    let shown: Vec<_> = body["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .map(|group| json!([group["id"], group["users"].as_array().map(Vec::len), group["projects"]]))
        .collect();
    assert_eq!(shown, [json!([b, 2, ["default", "elsewhere"]]), json!([a, 0, []])]);
    assert_eq!(app.get(As::Root, &path_of(b)).await.json(), body["groups"][0]);
}

#[actix_web::test]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    let answer = app.get(As::Root, &path_of(99)).await;
    answer.is(404, "NotFoundError");
    assert_eq!(answer.json()["message"], "No group found.");
    assert_eq!(faults(&app.get(As::Root, "/api/admin/groups/x").await), ["/params/groupId"]);
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 200, || TestRequest::get().uri(GROUPS)).await;
    only(&app, ADMINS, 404, || TestRequest::get().uri(&path_of(99))).await;
}
