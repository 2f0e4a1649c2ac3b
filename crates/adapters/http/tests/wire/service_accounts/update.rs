//! `PUT …/service-account/{id}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::{Value, json};

use super::{ACCOUNTS, UNKNOWN_ID, made, path_of, token_of};
use crate::expectations::{ADMINS, event_count, faults, newest_event, only, refused_for};

#[actix_web::test]
async fn the_answer_is_the_account_as_it_is_then() {
    let app = TestApp::new().await;
    let id = made(&app, "deploy", json!(3)).await;
    token_of(&app, id).await;
    let asked = json!({"name": "Deployment", "rootRole": 2, "username": "other", "email": "a@b", "x": 1});
    let answer = app.put(As::Root, &path_of(id), &asked).await;
    assert_eq!(answer.status, 200);
    let listed = app.get(As::Root, ACCOUNTS).await.json()["serviceAccounts"][0].clone();
    assert_eq!(answer.json(), listed);
    let account = answer.json();
    assert_eq!(
        (&account["name"], &account["rootRole"], &account["username"], &account["email"]),
        (&json!("Deployment"), &json!(2), &json!("deploy"), &Value::Null)
    );
    let (kind, by, before, after) = newest_event(&app).await;
    assert_eq!((kind.as_str(), by.as_str()), ("service-account-updated", "root@example.com"));
    assert_eq!((&before["name"], &after["name"]), (&Value::Null, &json!("Deployment")));
}

#[actix_web::test]
async fn its_tokens_act_by_the_new_role_at_once() {
    let app = TestApp::new().await;
    app.use_cases.follow_changes().await.expect("followed");
    let id = made(&app, "deploy", json!(3)).await;
    let (_, secret) = token_of(&app, id).await;
    let asked = || TestRequest::get().uri(TOKENS);
    app.send_by(&secret, asked()).await.is(403, "NoAccessError");
    app.put(As::Root, &path_of(id), &json!({"rootRole": "Editor"})).await;
    assert_eq!(app.send_by(&secret, asked()).await.status, 200);
}

#[actix_web::test]
async fn what_is_left_out_stays_and_no_change_leaves_no_event() {
    let app = TestApp::new().await;
    let id = made(&app, "deploy", json!(2)).await;
    let before = (event_count(&app).await, app.get(As::Root, ACCOUNTS).await.json());
    for asked in [json!({}), json!({"name": null, "rootRole": null}), json!({"rootRole": 2})] {
        assert_eq!(app.put(As::Root, &path_of(id), &asked).await.status, 200, "{asked}");
    }
    assert_eq!((event_count(&app).await, app.get(As::Root, ACCOUNTS).await.json()), before);
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let id = made(&app, "deploy", json!(3)).await;
    let request = || TestRequest::put().uri(&path_of(id));
    let cases: &[(Value, &[&str])] = &[
        (json!([]), &[""]),
        (json!({"name": ""}), &["/name"]),
        (json!({"name": [], "rootRole": true}), &["/name", "/rootRole"]),
        (json!({"name": "x".repeat(256)}), &["/name"]),
        (json!({"rootRole": 99}), &["/rootRole"]),
        (json!({"rootRole": "Member"}), &["/rootRole"]),
    ];
    refused_for(&app, request, cases).await;
    app.send(As::Root, request().set_payload("{}")).await.is(415, "ContentTypeError");
}

#[actix_web::test]
async fn what_is_no_service_account_is_not_found() {
    let app = TestApp::new().await;
    let person = app.user_of(As::Viewer).await.id.0;
    for id in [UNKNOWN_ID, -1, person] {
        app.put(As::Root, &path_of(id), &json!({"rootRole": 1})).await.is(404, "NotFoundError");
    }
    let answer = app.put(As::Root, &format!("{ACCOUNTS}/x"), &json!({})).await;
    assert_eq!(faults(&answer), ["/params/id"]);
    assert_eq!(app.user_of(As::Viewer).await.root_role.0, 3);
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    let id = made(&app, "deploy", json!(3)).await;
    only(&app, ADMINS, 200, || TestRequest::put().uri(&path_of(id)).set_json(json!({}))).await;
    only(&app, ADMINS, 404, || TestRequest::put().uri(&path_of(UNKNOWN_ID)).set_json(json!({}))).await;
}

#[actix_web::test]
async fn other_sites_cannot_have_a_browser_change_it() {
    let app = TestApp::new().await;
    let id = made(&app, "deploy", json!(3)).await;
    let cookie = app.sign_in("Root").await;
    let asked = TestRequest::put().uri(&path_of(id)).set_json(json!({"rootRole": 1}));
    let asked = asked.insert_header(("sec-fetch-site", "cross-site"));
    app.send_with(&cookie, asked).await.is(403, "OperationDeniedError");
}
