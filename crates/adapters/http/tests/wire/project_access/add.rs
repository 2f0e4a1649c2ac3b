//! `POST …/access`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::{Value, json};

use super::{ACCESS, held, role};
use crate::expectations::{OWNERS, event_count, newest_events, only, refused_for};

#[actix_web::test]
async fn each_user_gets_each_role_beside_those_held() {
    let app = TestApp::new().await;
    app.get(As::Viewer, TOKENS).await.is(403, "NoAccessError");
    let asked = json!({"users": [5, 3, 3], "groups": [], "roles": [5, 4]});
    let answer = app.post(As::Owner, ACCESS, &asked).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!((held(&app, 3).await, held(&app, 5).await), (json!([4, 5]), json!([4, 5])));
    assert_eq!(app.get(As::Viewer, TOKENS).await.status, 200, "it counts at once");
    let event = newest_events(&app, 1).await.remove(0);
    let expected = json!({"roles": [
        {"roleId": 5, "groupIds": [], "userIds": [3, 5]},
        {"roleId": 4, "groupIds": [], "userIds": [3, 5]},
    ]});
    let shown = (&event["type"], &event["createdBy"], &event["project"], &event["data"], &event["preData"]);
    let (kind, by) = (json!("project-access-added"), json!("owner@example.com"));
    assert_eq!(shown, (&kind, &by, &json!("default"), &expected, &Value::Null));
}

#[actix_web::test]
async fn what_all_hold_already_is_no_change() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    let answer = app.post(As::Owner, ACCESS, &json!({"users": [5], "roles": ["member"]})).await;
    assert_eq!((answer.status.as_u16(), event_count(&app).await), (200, before));
}

#[actix_web::test]
async fn service_accounts_can_be_members() {
    let app = TestApp::new().await;
    let body = json!({"username": "bot", "rootRole": 3});
    let bot = app.post(As::Admin, "/api/admin/service-account", &body).await.json()["id"].clone();
    assert_eq!(app.post(As::Owner, ACCESS, &json!({"users": [bot], "roles": [5]})).await.status, 200);
    assert_eq!(held(&app, bot.as_i64().expect("an id")).await, json!([5]));
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/roles", "/users"]),
        (json!([]), &[""]),
        (json!({"users": 3, "roles": 5}), &["/roles", "/users"]),
        (json!({"users": ["x"], "roles": [5]}), &["/users"]),
        (json!({"users": [1.5], "roles": [5]}), &["/users"]),
        (json!({"users": [{"id": 3}], "roles": [5]}), &["/users"]),
        (json!({"users": [3], "roles": [{}]}), &["/roles"]),
        (json!({"users": [], "roles": [5]}), &["/users"]),
        (json!({"users": [3], "roles": []}), &["/roles"]),
        (json!({"users": [3, 99], "roles": [5]}), &["/users"]),
        (json!({"users": [3], "roles": [99]}), &["/roles"]),
        (json!({"users": [3], "roles": ["Nope"]}), &["/roles"]),
        // A root role cannot be a project role.
        (json!({"users": [3], "roles": [2]}), &["/roles"]),
        (json!({"users": [3], "groups": "all", "roles": [5]}), &["/groups"]),
    ];
    refused_for(&app, || TestRequest::post().uri(ACCESS), cases).await;
    assert_eq!((held(&app, 3).await, event_count(&app).await), (Value::Null, before));
}

#[actix_web::test]
async fn a_caller_cannot_grant_permissions_that_the_caller_lacks() {
    let app = TestApp::new().await;
    let keeper = role(&app, "Keeper", &["UPDATE_PROJECT"]).await;
    app.post(As::Root, ACCESS, &json!({"users": [3], "roles": [keeper]})).await;
    for given in [4, 5] {
        let answer = app.post(As::Viewer, ACCESS, &json!({"users": [3], "roles": [keeper, given]})).await;
        answer.is(403, "NoAccessError");
        assert_eq!(answer.json()["permissions"], json!(["READ_PROJECT_API_TOKEN"]));
    }
    assert_eq!(held(&app, 3).await, json!([keeper]));
    assert_eq!(app.post(As::Viewer, ACCESS, &json!({"users": [6], "roles": [keeper]})).await.status, 200);
}

#[actix_web::test]
async fn the_project_is_looked_for_last() {
    let app = TestApp::new().await;
    let path = "/api/admin/projects/nope/access";
    let good = json!({"users": [3], "roles": [5]});
    app.post(As::Owner, path, &good).await.is(403, "NoAccessError");
    app.post(As::Editor, path, &json!({})).await.is(400, "BadDataError");
    app.post(As::Editor, path, &good).await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn only_those_who_may_change_the_project_may() {
    let app = TestApp::new().await;
    only(&app, OWNERS, 400, || TestRequest::post().uri(ACCESS).set_json(json!({}))).await;
}

#[actix_web::test]
async fn a_list_has_an_end() {
    let app = TestApp::new().await;
    for (field, body) in [
        ("users", json!({"users": vec![5; 1_001], "roles": [5]})),
        ("roles", json!({"users": [5], "roles": vec![5; 1_001]})),
    ] {
        let answer = app.post(As::Owner, ACCESS, &body).await;
        answer.is(400, "BadDataError");
        let said = format!("{field} may have at most 1000 entries, not 1001.");
        assert_eq!(answer.json()["details"], json!([{"message": said, "path": format!("/body/{field}")}]));
    }
    let many = json!({"users": vec![5; 1_000], "roles": vec!["member"; 1_000]});
    assert_eq!(app.post(As::Owner, ACCESS, &many).await.status, 200);
}
