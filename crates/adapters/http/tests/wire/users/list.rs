//! `GET …/user-admin`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use super::{USERS, user_json};
use crate::expectations::{ADMINS, faults, only};

#[actix_web::test]
async fn users_come_by_id_with_the_root_roles() {
    let app = TestApp::new().await;
    let body = app.get(As::Root, USERS).await.json();
    let names: Vec<_> =
        body["users"].as_array().expect("users").iter().map(|user| user["username"].as_str()).collect();
    let expected = ["Root", "Editor", "Viewer", "Owner", "Member", "MemberElsewhere"].map(Some);
    assert_eq!(names, expected);
    let image = "https://gravatar.com/avatar/bc15ce5d4fa97606bf6987d111db7d744e04fda69d93ca4653ec189387e02fb3?s=42&d=retro&r=g";
    let mut expected = user_json(2, "Editor", 2, &json!(image));
    expected["inviteLink"] = json!("");
    assert_eq!(body["users"][1], expected);
    let roles: Vec<_> =
        body["rootRoles"].as_array().expect("roles").iter().map(|role| &role["name"]).collect();
    assert_eq!(roles, ["Admin", "Editor", "Viewer"]);
    assert_eq!(
        body["rootRoles"][2],
        json!({"id": 3, "name": "Viewer", "type": "root", "description": "May look around, but sees no tokens."})
    );
}

#[actix_web::test]
async fn a_page_is_answered_when_asked_for() {
    let app = TestApp::new().await;
    let body = app.get(As::Admin, &format!("{USERS}?limit=2&offset=1")).await.json();
    let ids: Vec<_> = body["users"].as_array().expect("users").iter().map(|user| &user["id"]).collect();
    assert_eq!(ids, [2, 3]);
}

#[actix_web::test]
async fn a_page_that_makes_no_sense_is_refused() {
    let app = TestApp::new().await;
    let answer = app.get(As::Admin, &format!("{USERS}?limit=x&offset=-1&unknown=y")).await;
    assert_eq!(faults(&answer), ["/query/limit", "/query/offset"]);
}

#[actix_web::test]
async fn service_accounts_are_not_among_them() {
    let app = TestApp::new().await;
    let body = json!({"username": "robot", "rootRole": 3});
    let made = app.post(As::Admin, "/api/admin/service-account", &body).await;
    assert_eq!(made.status, 201);
    let users = app.get(As::Admin, USERS).await.json();
    assert_eq!(users["users"].as_array().expect("users").len(), 6);
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 200, || TestRequest::get().uri(USERS)).await;
}
