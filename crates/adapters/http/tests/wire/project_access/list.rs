//! `GET …/access`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use super::ACCESS;
use crate::expectations::{OWNERS, only};

#[actix_web::test]
async fn members_come_by_id_with_the_roles_of_projects() {
    let app = TestApp::new().await;
    let body = app.get(As::Owner, ACCESS).await.json();
    let expected = json!({
        "isAPI": false, "accountType": "User", "id": 4, "username": "Owner",
        "email": "owner@example.com", "imageUrl": body["users"][0]["imageUrl"], "seenAt": null,
        "loginAttempts": 0, "createdAt": "2023-04-19T08:15:14.000Z", "scimId": null, "rootRole": 3,
        "addedAt": "2023-04-19T08:15:14.000Z", "roleId": 4, "roles": [4]
    });
    assert_eq!((&body["users"][0], &body["users"][1]["id"]), (&expected, &json!(5)));
    assert_eq!(body["users"].as_array().expect("users").len(), 2);
    assert_eq!(body["groups"], json!([]));
    let roles: Vec<_> = body["roles"].as_array().expect("roles").iter().map(|role| &role["name"]).collect();
    assert_eq!(roles, ["Owner", "Member"]);
    assert_eq!(body["roles"][0]["type"], "project");
}

#[actix_web::test]
async fn a_project_that_is_not_there_is_not_found_by_those_who_might() {
    let app = TestApp::new().await;
    for project in ["nope", "a%20b"] {
        let path = format!("/api/admin/projects/{project}/access");
        app.get(As::Editor, &path).await.is(404, "NotFoundError");
        app.get(As::Owner, &path).await.is(403, "NoAccessError");
    }
}

#[actix_web::test]
async fn only_those_who_may_change_the_project_may() {
    let app = TestApp::new().await;
    only(&app, OWNERS, 200, || TestRequest::get().uri(ACCESS)).await;
}
