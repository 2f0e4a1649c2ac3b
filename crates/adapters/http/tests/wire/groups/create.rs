//! `POST …/groups`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, NOW, TOKENS, TestApp};
use serde_json::{Value, json};

use super::{GROUPS, group, members, path_of};
use crate::expectations::{ADMINS, event_count, newest_event, only, refused_for};

#[actix_web::test]
async fn the_answer_is_the_group_with_its_members() {
    let app = TestApp::new().await;
    let asked = json!({
        "name": " Payments ", "description": "Those who\ntake money.", "mappingsSSO": ["pay-eng", "pay-ops"],
        "rootRole": 3, "users": [{"user": {"id": 5, "name": "ignored"}}, {"user": {"id": 3}}, {"user": {"id": 5}}],
        "unknown": true
    });
    let answer = app.post(As::Root, GROUPS, &asked).await;
    let body = answer.json();
    let id = body["id"].as_i64().expect("an id");
    assert_eq!((answer.status.as_u16(), answer.header("location")), (201, Some(&*format!("groups/{id}"))));
    let user = |place: usize, id: i64, name: &str| {
        json!({"joinedAt": NOW, "user": {
            "id": id, "username": name,
            "email": format!("{}@example.com", name.to_lowercase()),
            "imageUrl": body["users"][place]["user"]["imageUrl"], "accountType": "User"
        }})
    };
    let expected = json!({
        "id": id, "name": "Payments", "description": "Those who\ntake money.",
        "mappingsSSO": ["pay-eng", "pay-ops"], "rootRole": 3, "userCount": 2, "createdAt": NOW,
        "users": [user(0, 3, "Viewer"), user(1, 5, "Member")], "projects": []
    });
    assert_eq!(body, expected);
    assert_eq!(app.get(As::Root, &path_of(id)).await.json(), expected);
    let data = json!({
        "id": id, "name": "Payments", "description": "Those who\ntake money.",
        "mappingsSSO": ["pay-eng", "pay-ops"], "rootRole": 3, "users": [3, 5]
    });
    let event = ("group-created".to_owned(), "root@example.com".to_owned(), Value::Null, data);
    assert_eq!(newest_event(&app).await, event);
}

#[actix_web::test]
async fn what_a_group_does_not_have_is_absent_and_never_null() {
    let app = TestApp::new().await;
    for absent in [
        json!({"name": "a"}),
        json!({"name": "b", "description": null, "mappingsSSO": null, "rootRole": null, "users": null}),
        json!({"name": "c", "description": "", "mappingsSSO": [], "users": []}),
    ] {
        let body = app.post(As::Admin, GROUPS, &absent).await.json();
        let expected = json!({
            "id": body["id"], "name": absent["name"], "mappingsSSO": [], "userCount": 0, "createdAt": NOW,
            "users": [], "projects": []
        });
        assert_eq!(body, expected, "{absent}");
    }
}

#[actix_web::test]
async fn the_root_role_counts_at_once() {
    let app = TestApp::new().await;
    app.get(As::Viewer, TOKENS).await.is(403, "NoAccessError");
    let asked = json!({"name": "Editors", "rootRole": "editor", "users": members(&[3])});
    assert_eq!(app.post(As::Root, GROUPS, &asked).await.status, 201);
    assert_eq!(app.get(As::Viewer, TOKENS).await.status, 200);
    app.get(As::MemberElsewhere, TOKENS).await.is(403, "NoAccessError");
    let permissions = app.get(As::Viewer, "/api/admin/user").await.json()["permissions"].clone();
    let held =
        |name: &str| permissions.as_array().expect("a list").iter().any(|one| one["permission"] == name);
    assert!(held("CREATE_PROJECT") && !held("ADMIN"), "{permissions}");
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    group(&app, "taken", &[]).await;
    let before = event_count(&app).await;
    let with = |member: &str, value: Value| {
        let mut body = json!({"name": "x"});
        body[member] = value;
        body
    };
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/name"]),
        (json!([]), &[""]),
        (with("name", json!(" ")), &["/name"]),
        (with("name", json!([])), &["/name"]),
        (with("name", json!("x".repeat(256))), &["/name"]),
        (with("description", json!({})), &["/description"]),
        (with("description", json!("x".repeat(2_001))), &["/description"]),
        (with("mappingsSSO", json!("a")), &["/mappingsSSO"]),
        (with("mappingsSSO", json!([""])), &["/mappingsSSO"]),
        (with("mappingsSSO", json!(vec!["a"; 1_001])), &["/mappingsSSO"]),
        (with("rootRole", json!({})), &["/rootRole"]),
        (with("rootRole", json!(99)), &["/rootRole"]),
        // A role of projects cannot be a root role.
        (with("rootRole", json!("Member")), &["/rootRole"]),
        (with("users", json!({"user": {"id": 3}})), &["/users"]),
        (with("users", json!([3])), &["/users"]),
        (with("users", json!([{"id": 3}])), &["/users"]),
        (with("users", json!([{"user": {}}])), &["/users"]),
        (with("users", json!([{"user": {"id": "3"}}])), &["/users"]),
        (with("users", members(&[3, 99])), &["/users"]),
        (with("users", members(&[3; 1_001])), &["/users"]),
        (json!({"name": [], "description": {}, "rootRole": []}), &["/name", "/description", "/rootRole"]),
    ];
    refused_for(&app, || TestRequest::post().uri(GROUPS), cases).await;
    assert_eq!(event_count(&app).await, before, "nothing was made");
}

#[actix_web::test]
async fn a_name_in_use_is_a_conflict() {
    let app = TestApp::new().await;
    group(&app, "Payments", &[]).await;
    let answer = app.post(As::Admin, GROUPS, &json!({"name": "Payments"})).await;
    answer.is(409, "NameExistsError");
    assert_eq!(answer.json()["message"], "A group of this name exists already.");
    group(&app, "payments", &[]).await;
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 400, || TestRequest::post().uri(GROUPS).set_json(json!({}))).await;
}
