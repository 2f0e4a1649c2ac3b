//! `PUT …/user-admin/{id}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::{UNKNOWN_ID, path_of};
use crate::expectations::{ADMINS, event_count, faults, newest_event, only, refused_for};

#[actix_web::test]
async fn what_is_sent_changes_and_an_event_says_so() {
    let app = TestApp::new().await;
    let asked = json!({"name": "New", "email": "new@example.com", "rootRole": "Editor"});
    let answer = app.put(As::Root, &path_of(3), &asked).await;
    let body = answer.json();
    assert_eq!(answer.status, 200, "{body}");
    let shown = json!([body["id"], body["name"], body["username"], body["email"], body["rootRole"]]);
    assert_eq!(shown, json!([3, "New", "Viewer", "new@example.com", 2]));
    let before =
        json!({"id": 3, "username": "Viewer", "email": "viewer@example.com", "name": null, "rootRole": 3});
    let after =
        json!({"id": 3, "username": "Viewer", "email": "new@example.com", "name": "New", "rootRole": 2});
    let event = ("user-updated".to_owned(), "root@example.com".to_owned(), before, after);
    assert_eq!(newest_event(&app).await, event);
}

#[actix_web::test]
async fn what_is_absent_null_or_empty_stays_and_a_user_name_always_does() {
    let app = TestApp::new().await;
    app.put(As::Admin, &path_of(3), &json!({"name": "Vi"})).await;
    let before = event_count(&app).await;
    for asked in [
        json!({}),
        json!({"name": "", "email": ""}),
        json!({"name": null, "email": null, "rootRole": null}),
        json!({"username": "other", "foo": 1}),
        json!({"rootRole": 3, "email": "viewer@example.com"}),
    ] {
        let body = app.put(As::Admin, &path_of(3), &asked).await.json();
        let shown = json!([body["username"], body["name"], body["email"], body["rootRole"]]);
        assert_eq!(shown, json!(["Viewer", "Vi", "viewer@example.com", 3]), "{asked}");
    }
    assert_eq!(event_count(&app).await, before, "a change to what is there already is none");
}

#[actix_web::test]
async fn a_new_role_counts_at_once() {
    let app = TestApp::new().await;
    app.get(As::Viewer, "/api/admin/user-admin").await.is(403, "NoAccessError");
    app.put(As::Root, &path_of(3), &json!({"rootRole": 1})).await;
    assert_eq!(app.get(As::Viewer, "/api/admin/user-admin").await.status, 200);
    app.put(As::Root, &path_of(3), &json!({"rootRole": 3})).await;
    app.get(As::Viewer, "/api/admin/user-admin").await.is(403, "NoAccessError");
}

#[actix_web::test]
async fn the_last_admin_stays_one() {
    let app = TestApp::new().await;
    let answer = app.put(As::Admin, &path_of(1), &json!({"rootRole": 3})).await;
    answer.is(403, "OperationDeniedError");
    assert!(answer.json()["message"].as_str().expect("text").contains("last user with the role Admin"));
    app.put(As::Admin, &path_of(3), &json!({"rootRole": 1})).await;
    assert_eq!(app.put(As::Admin, &path_of(1), &json!({"rootRole": 3})).await.status, 200);
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let cases: &[(Value, &[&str])] = &[
        (json!("x"), &[""]),
        (json!({"email": "nope"}), &["/email"]),
        (json!({"email": 1, "name": {}, "rootRole": []}), &["/name", "/email", "/rootRole"]),
        (json!({"name": " "}), &["/name"]),
        (json!({"rootRole": "Bogus"}), &["/rootRole"]),
        (json!({"rootRole": 4}), &["/rootRole"]),
        (json!({"rootRole": 4.5}), &["/rootRole"]),
    ];
    refused_for(&app, || TestRequest::put().uri(&path_of(3)), cases).await;
    let answer = app.put(As::Admin, &path_of(3), &json!({"email": "EDITOR@example.com"})).await;
    assert_eq!(faults(&answer), ["-"], "another user has it");
}

#[actix_web::test]
async fn an_unknown_user_is_not_found() {
    let app = TestApp::new().await;
    app.put(As::Admin, &path_of(UNKNOWN_ID), &json!({"name": "x"})).await.is(404, "NotFoundError");
    let answer = app.put(As::Admin, "/api/admin/user-admin/x", &json!({"name": "x"})).await;
    assert_eq!(faults(&answer), ["/params/id"]);
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 400, || TestRequest::put().uri(&path_of(4)).set_json(json!({"email": "x"}))).await;
}
