//! `PUT …/roles/{id}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::{Value, json};

use super::{made, path_of, role};
use crate::expectations::{ADMINS, event_count, faults, newest_event, only, refused_for};

/// Returns the role in the response to a change, as a list of roles shows it with its permissions.
fn role_in(mut body: Value) -> Value {
    let members = body.as_object_mut().expect("an object");
    members.retain(|member, _| member != "version" && member != "roles");
    body
}

#[actix_web::test]
async fn what_is_sent_changes_and_an_event_says_so() {
    let app = TestApp::new().await;
    let id = made(&app, &role("Auditor", "custom", &["READ_PROJECT_API_TOKEN"])).await;
    let asked = json!({
        "name": "Keeper", "description": "Keeps.", "type": "custom", "permissions": [{"name": "UPDATE_PROJECT"}]
    });
    let answer = app.put(As::Root, &path_of(id), &asked).await;
    let body = answer.json();
    assert_eq!(answer.status, 200, "{body}");
    assert_eq!(
        (&body["id"], &body["name"], &body["description"]),
        (&json!(id), &json!("Keeper"), &json!("Keeps."))
    );
    assert_eq!(body["permissions"][0]["name"], "UPDATE_PROJECT");
    let summary = json!({"id": body["id"], "name": body["name"], "type": "custom", "description": "Keeps."});
    assert_eq!((&body["version"], &body["roles"]), (&json!(1), &summary));
    assert_eq!(app.get(As::Root, &path_of(id)).await.json(), role_in(body));
    let before = json!({
        "id": id, "name": "Auditor", "type": "custom", "description": "",
        "permissions": [{"name": "READ_PROJECT_API_TOKEN"}]
    });
    let after = json!({
        "id": id, "name": "Keeper", "type": "custom", "description": "Keeps.",
        "permissions": [{"name": "UPDATE_PROJECT"}]
    });
    let event = ("role-updated".to_owned(), "root@example.com".to_owned(), before, after);
    assert_eq!(newest_event(&app).await, event);
}

#[actix_web::test]
async fn what_is_absent_stays_and_a_change_to_nothing_new_is_none() {
    let app = TestApp::new().await;
    let id = made(&app, &role("Auditor", "custom", &["READ_PROJECT_API_TOKEN"])).await;
    let (role, before) = (app.get(As::Root, &path_of(id)).await.json(), event_count(&app).await);
    for asked in [json!({}), json!({"name": "Auditor", "type": "custom"}), json!({"permissions": null})] {
        assert_eq!(role_in(app.put(As::Admin, &path_of(id), &asked).await.json()), role, "{asked}");
    }
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn new_permissions_of_a_role_take_effect_at_once() {
    let app = TestApp::new().await;
    let id = made(&app, &role("Auditor", "custom", &["READ_PROJECT_API_TOKEN"])).await;
    let access = "/api/admin/projects/default/access";
    assert_eq!(app.post(As::Root, access, &json!({"users": [3], "roles": [id]})).await.status, 200);
    assert_eq!(app.get(As::Viewer, TOKENS).await.status, 200);
    app.put(As::Root, &path_of(id), &json!({"permissions": []})).await;
    app.get(As::Viewer, TOKENS).await.is(403, "NoAccessError");
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let id = made(&app, &role("Auditor", "custom", &[])).await;
    let cases: &[(Value, &[&str])] = &[
        (json!([]), &[""]),
        (json!({"name": " "}), &["/name"]),
        (json!({"type": "root-custom"}), &["/type"]),
        (json!({"type": "nope"}), &["/type"]),
        (json!({"permissions": [{"name": "NOPE"}]}), &["/permissions"]),
        (json!({"permissions": [{"name": "CREATE_PROJECT"}]}), &["/permissions"]),
        (json!({"permissions": [{"name": "ADMIN"}]}), &["/permissions"]),
        (
            json!({"name": [], "description": {}, "permissions": 3}),
            &["/name", "/description", "/permissions"],
        ),
    ];
    refused_for(&app, || TestRequest::put().uri(&path_of(id)), cases).await;
}

#[actix_web::test]
async fn a_name_in_use_is_a_conflict() {
    let app = TestApp::new().await;
    let id = made(&app, &role("Auditor", "custom", &[])).await;
    app.put(As::Admin, &path_of(id), &json!({"name": "Owner"})).await.is(409, "NameExistsError");
}

#[actix_web::test]
async fn the_built_in_ones_stay() {
    let app = TestApp::new().await;
    for id in 1..=5 {
        let answer = app.put(As::Root, &path_of(id), &json!({"name": "Mine"})).await;
        answer.is(403, "OperationDeniedError");
        assert!(answer.json()["message"].as_str().expect("text").contains("built in"));
    }
}

#[actix_web::test]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    app.put(As::Admin, &path_of(99), &json!({"name": "x"})).await.is(404, "NotFoundError");
    let answer = app.put(As::Admin, "/api/admin/roles/x", &json!({"name": "x"})).await;
    assert_eq!(faults(&answer), ["/params/id"]);
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 404, || TestRequest::put().uri(&path_of(99)).set_json(json!({}))).await;
}
