//! `POST …/roles`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::{ROLES, made, role};
use crate::expectations::{ADMINS, event_count, newest_event, only, refused_for};

#[actix_web::test]
async fn the_answer_is_the_role_with_its_permissions() {
    let app = TestApp::new().await;
    let asked = json!({
        "name": " Token auditor ", "description": "Looks.\nTouches nothing.", "type": "custom",
        "permissions": [
            {"name": "UPDATE_PROJECT", "environment": null},
            {"id": 42, "name": "READ_PROJECT_API_TOKEN", "environment": ""},
            {"name": "READ_PROJECT_API_TOKEN"},
        ],
        "unknown": true
    });
    let answer = app.post(As::Root, ROLES, &asked).await;
    let body = answer.json();
    let id = body["id"].as_i64().expect("an id");
    assert_eq!((answer.status.as_u16(), answer.header("location")), (200, Some(&*format!("roles/{id}"))));
    let expected = json!({
        "version": 1,
        "roles": {
            "id": id, "name": "Token auditor", "type": "custom", "description": "Looks.\nTouches nothing."
        },
        "id": id, "name": "Token auditor", "type": "custom", "description": "Looks.\nTouches nothing.",
        "permissions": [
            {"id": 42, "name": "READ_PROJECT_API_TOKEN", "displayName": "Read the project's API tokens", "type": "project"},
            {"id": 13, "name": "UPDATE_PROJECT", "displayName": "Change a project, its members and its environments", "type": "project"},
        ]
    });
    assert_eq!(body, expected);
    let data = json!({
        "id": id, "name": "Token auditor", "type": "custom", "description": "Looks.\nTouches nothing.",
        "permissions": [{"name": "READ_PROJECT_API_TOKEN"}, {"name": "UPDATE_PROJECT"}]
    });
    let event = ("role-created".to_owned(), "root@example.com".to_owned(), Value::Null, data);
    assert_eq!(newest_event(&app).await, event);
}

#[actix_web::test]
async fn a_role_of_the_instance_may_hold_permissions_of_projects_too() {
    let app = TestApp::new().await;
    let asked = role("All tokens", "root-custom", &["CREATE_PROJECT", "READ_PROJECT_API_TOKEN"]);
    let answer = app.post(As::Admin, ROLES, &asked).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["description"]), (200, &json!("")));
    assert_eq!(app.post(As::Admin, ROLES, &role("Nothing", "root-custom", &[])).await.status, 200);
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    let with = |member: &str, value: Value| {
        let mut body = role("x", "custom", &[]);
        body[member] = value;
        body
    };
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/type", "/name", "/permissions"]),
        (json!(1), &[""]),
        (with("name", json!("")), &["/name"]),
        (with("name", json!([])), &["/name"]),
        (with("name", json!("x".repeat(101))), &["/name"]),
        (with("description", json!({})), &["/description"]),
        (with("description", json!("x".repeat(2_001))), &["/description"]),
        (with("type", json!("nope")), &["/type"]),
        (with("type", json!("root")), &["/type"]),
        (with("type", json!("project")), &["/type"]),
        (with("type", json!(null)), &["/type"]),
        (with("permissions", json!("ADMIN")), &["/permissions"]),
        (with("permissions", json!(["ADMIN"])), &["/permissions"]),
        (with("permissions", json!([{"id": 1}])), &["/permissions"]),
        (with("permissions", json!([{"name": "admin"}])), &["/permissions"]),
        (with("permissions", json!([{"name": "ADMIN"}])), &["/permissions"]),
        // A permission of the instance.
        (with("permissions", json!([{"name": "CREATE_PROJECT"}])), &["/permissions"]),
        // Without its environment the permission would be wider than requested.
        (
            with("permissions", json!([{"name": "UPDATE_PROJECT", "environment": "development"}])),
            &["/permissions"],
        ),
        (with("permissions", json!([{"name": "UPDATE_PROJECT", "environment": 1}])), &["/permissions"]),
        (
            json!({"name": [], "type": 2, "description": {}, "permissions": 4}),
            &["/name", "/type", "/description", "/permissions"],
        ),
    ];
    refused_for(&app, || TestRequest::post().uri(ROLES), cases).await;
    let admin = role("x", "root-custom", &["ADMIN"]);
    refused_for(&app, || TestRequest::post().uri(ROLES), &[(admin, &["/permissions"])]).await;
    assert_eq!(event_count(&app).await, before, "nothing was made");
}

#[actix_web::test]
async fn a_name_in_use_is_a_conflict() {
    let app = TestApp::new().await;
    made(&app, &role("Auditor", "custom", &[])).await;
    for name in ["Auditor", "Admin", "Member"] {
        let answer = app.post(As::Admin, ROLES, &role(name, "root-custom", &[])).await;
        answer.is(409, "NameExistsError");
    }
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 400, || TestRequest::post().uri(ROLES).set_json(json!({}))).await;
}
