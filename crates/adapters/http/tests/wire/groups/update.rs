//! `PUT …/groups/{groupId}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, NOW, TOKENS, TestApp};
use serde_json::{Value, json};

use super::{GROUPS, group, members, path_of};
use crate::expectations::{ADMINS, event_count, faults, newest_event, only, refused_for};

#[actix_web::test]
async fn the_body_replaces_the_group_and_an_event_says_so() {
    let app = TestApp::new().await;
    let asked = json!({
        "name": "Payments", "description": "Money.", "mappingsSSO": ["pay"], "rootRole": 3, "users": members(&[3, 5])
    });
    let id = app.post(As::Root, GROUPS, &asked).await.json()["id"].as_i64().expect("an id");
    app.clock.advance(std::time::Duration::from_secs(60));
    let answer = app.put(As::Root, &path_of(id), &json!({"name": "Pay", "users": members(&[4, 5])})).await;
    let body = answer.json();
    assert_eq!(answer.status, 200, "{body}");
    let shown: Vec<_> = body.as_object().expect("a group").keys().map(String::as_str).collect();
    assert_eq!(shown, ["createdAt", "id", "mappingsSSO", "name", "projects", "userCount", "users"]);
    assert_eq!(
        (&body["name"], &body["createdAt"], &body["mappingsSSO"]),
        (&json!("Pay"), &json!(NOW), &json!([]))
    );
    let joined: Vec<_> = body["users"]
        .as_array()
        .expect("users")
        .iter()
        .map(|one| (&one["user"]["id"], one["joinedAt"] == NOW))
        .collect();
    assert_eq!(joined, [(&json!(4), false), (&json!(5), true)], "a member who stays keeps the time");
    assert_eq!(app.get(As::Root, &path_of(id)).await.json(), body);
    let before = json!({
        "id": id, "name": "Payments", "description": "Money.", "mappingsSSO": ["pay"], "rootRole": 3, "users": [3, 5]
    });
    let after = json!({
        "id": id, "name": "Pay", "description": "", "mappingsSSO": [], "rootRole": null, "users": [4, 5]
    });
    let event = ("group-updated".to_owned(), "root@example.com".to_owned(), before, after);
    assert_eq!(newest_event(&app).await, event);
}

#[actix_web::test]
async fn a_change_to_nothing_new_is_none() {
    let app = TestApp::new().await;
    let id = group(&app, "Payments", &[3, 5]).await;
    let (before, shown) = (event_count(&app).await, app.get(As::Root, &path_of(id)).await.json());
    let same = json!({"name": "Payments", "users": members(&[5, 3, 5])});
    assert_eq!(app.put(As::Root, &path_of(id), &same).await.json(), shown);
    // The group as it is shown is a good body too.
    assert_eq!(app.put(As::Root, &path_of(id), &shown).await.json(), shown);
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn members_gain_and_lose_rights_at_once() {
    let app = TestApp::new().await;
    let id = group(&app, "Payments", &[3]).await;
    let access = "/api/admin/projects/default/access";
    app.post(As::Root, access, &json!({"users": [], "groups": [id], "roles": [5]})).await;
    assert_eq!(app.get(As::Viewer, TOKENS).await.status, 200);
    assert_eq!(
        app.put(As::Root, &path_of(id), &json!({"name": "Payments", "users": members(&[7])})).await.status,
        400
    );
    assert_eq!(app.get(As::Viewer, TOKENS).await.status, 200, "nothing changed");
    let moved = json!({"name": "Payments", "users": members(&[6])});
    assert_eq!(app.put(As::Root, &path_of(id), &moved).await.status, 200);
    app.get(As::Viewer, TOKENS).await.is(403, "NoAccessError");
    assert_eq!(app.get(As::MemberElsewhere, TOKENS).await.status, 200);
    let editors = json!({"name": "Payments", "rootRole": 2, "users": members(&[3])});
    assert_eq!(app.put(As::Root, &path_of(id), &editors).await.status, 200);
    assert_eq!(app.post(As::Viewer, "/api/admin/projects", &json!({"name": "Mine"})).await.status, 201);
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let id = group(&app, "Payments", &[3]).await;
    let before = event_count(&app).await;
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/name"]),
        (json!({"name": "x", "rootRole": 4}), &["/rootRole"]),
        (json!({"name": "x", "users": members(&[99])}), &["/users"]),
        (json!({"name": "", "users": 3, "mappingsSSO": 4}), &["/name", "/users", "/mappingsSSO"]),
    ];
    refused_for(&app, || TestRequest::put().uri(&path_of(id)), cases).await;
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn a_name_in_use_is_a_conflict() {
    let app = TestApp::new().await;
    let id = group(&app, "a", &[]).await;
    group(&app, "b", &[]).await;
    app.put(As::Admin, &path_of(id), &json!({"name": "b"})).await.is(409, "NameExistsError");
}

#[actix_web::test]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    app.put(As::Admin, &path_of(99), &json!({"name": "x"})).await.is(404, "NotFoundError");
    let answer = app.put(As::Admin, "/api/admin/groups/x", &json!({"name": "x"})).await;
    assert_eq!(faults(&answer), ["/params/groupId"]);
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 400, || TestRequest::put().uri(&path_of(99)).set_json(json!({}))).await;
}
