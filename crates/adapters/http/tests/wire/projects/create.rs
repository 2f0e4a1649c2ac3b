//! `POST …/projects`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::{PROJECTS, made};
use crate::expectations::{EDITORS, event_count, newest_event, only, refused_for};

#[actix_web::test]
async fn the_answer_is_the_project() {
    let app = TestApp::new().await;
    let asked = json!({
        "id": "Web_shop~1.0", "name": " Web shop ", "description": "Sells.", "mode": "protected",
        "environments": ["production"], "defaultStickiness": "default"
    });
    let answer = app.post(As::Admin, PROJECTS, &asked).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (201, Some("projects/Web_shop~1.0")));
    let expected = json!({
        "id": "Web_shop~1.0", "name": "Web shop", "description": "Sells.",
        "createdAt": "2023-04-19T08:15:14.000Z", "updatedAt": "2023-04-19T08:15:14.000Z", "archivedAt": null,
        "mode": "protected", "memberCount": 0, "apiTokenCount": 0, "environments": ["production"]
    });
    assert_eq!(answer.json(), expected);
    let data = json!({
        "id": "Web_shop~1.0", "name": "Web shop", "description": "Sells.", "mode": "protected", "archivedAt": null
    });
    assert_eq!(
        newest_event(&app).await,
        ("project-created".to_owned(), "made".to_owned(), Value::Null, data)
    );
}

#[actix_web::test]
async fn the_id_comes_from_the_name_and_environments_are_those_switched_on() {
    let app = TestApp::new().await;
    app.post(As::Root, "/api/admin/environments/production/off", &json!({})).await;
    let body = made(&app, As::Admin, &json!({"name": "My Proj", "id": null, "description": null})).await;
    assert_eq!(
        (&body["id"], &body["mode"], body.get("description")),
        (&json!("my-proj"), &json!("open"), None)
    );
    assert_eq!(body["environments"], json!(["development"]));
    let none = made(&app, As::Admin, &json!({"name": "None", "environments": []})).await;
    assert_eq!(none["environments"], json!([]));
}

#[actix_web::test]
async fn the_creator_becomes_owner() {
    let app = TestApp::new().await;
    let body = made(&app, As::Editor, &json!({"name": "mine"})).await;
    assert_eq!(body["memberCount"], 1);
    let access = app.get(As::Editor, "/api/admin/projects/mine/access").await.json();
    assert_eq!((&access["users"][0]["id"], &access["users"][0]["roles"]), (&json!(2), &json!([4])));
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/name"]),
        (json!(null), &[""]),
        (json!({"name": " "}), &["/name"]),
        (json!({"name": null}), &["/name"]),
        (json!({"name": "x".repeat(256)}), &["/name"]),
        (json!({"name": "日本語"}), &["/id"]),
        (json!({"name": "x", "id": ""}), &["/id"]),
        (json!({"name": "x", "id": "a b"}), &["/id"]),
        (json!({"name": "x", "id": "*"}), &["/id"]),
        (json!({"name": "x", "id": "x".repeat(101)}), &["/id"]),
        (json!({"name": "x", "id": ".."}), &["/id"]),
        (json!({"name": "x", "id": "archive"}), &["/id"]),
        (json!({"name": "Revive"}), &["/id"]),
        (json!({"name": "x", "description": "x".repeat(2_001)}), &["/description"]),
        (json!({"name": "x", "mode": "secret"}), &["/mode"]),
        (json!({"name": "x", "environments": "production"}), &["/environments"]),
        (json!({"name": "x", "environments": [1]}), &["/environments"]),
        (json!({"name": "x", "environments": ["a b"]}), &["/environments"]),
        (json!({"name": "x", "environments": ["nope"]}), &["/environments"]),
        (json!({"name": "x", "environments": ["production", "production"]}), &["/environments"]),
        (
            json!({"id": [], "name": {}, "description": [], "mode": 4, "environments": 5}),
            &["/description", "/environments", "/id", "/mode", "/name"],
        ),
    ];
    refused_for(&app, || TestRequest::post().uri(PROJECTS), cases).await;
    assert_eq!(event_count(&app).await, before, "nothing was made");
}

#[actix_web::test]
async fn an_id_in_use_is_a_conflict() {
    let app = TestApp::new().await;
    app.post(As::Editor, PROJECTS, &json!({"id": "default", "name": "x"})).await.is(409, "NameExistsError");
    app.post(As::Editor, PROJECTS, &json!({"name": "Elsewhere"})).await.is(409, "NameExistsError");
    made(&app, As::Editor, &json!({"id": "Elsewhere", "name": "An id knows cases"})).await;
}

#[actix_web::test]
async fn only_editors_may() {
    let app = TestApp::new().await;
    only(&app, EDITORS, 400, || TestRequest::post().uri(PROJECTS).set_json(json!({}))).await;
}
