//! `POST …/service-account`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, PASSWORD, TestApp};
use serde_json::{Value, json};

use super::{ACCOUNTS, made};
use crate::expectations::{ADMINS, faults, newest_event, only, refused_for};

fn request() -> TestRequest {
    TestRequest::post().uri(ACCOUNTS)
}

#[actix_web::test]
async fn the_answer_is_the_account() {
    let app = TestApp::new().await;
    let asked = json!({"name": " Deployment ", "username": " deploy ", "rootRole": "editor", "unknown": 1});
    let answer = app.post(As::Root, ACCOUNTS, &asked).await;
    let account = answer.json();
    let id = account["id"].to_string();
    assert_eq!((answer.status.as_u16(), answer.header("location")), (201, Some(id.as_str())));
    insta::assert_json_snapshot!(account, @r#"
    {
      "accountType": "Service Account",
      "createdAt": "2023-04-19T08:15:14.000Z",
      "id": 7,
      "imageUrl": "https://gravatar.com/avatar/b7bd55c11b781b0ccc43aa6e57f9dadf0660e9d1d4e27e0979ee43a407d454ae?s=42&d=retro&r=g",
      "isAPI": false,
      "loginAttempts": 0,
      "name": "Deployment",
      "rootRole": 2,
      "scimId": null,
      "seenAt": null,
      "tokens": [],
      "username": "deploy"
    }
    "#);
    let (kind, by, before, after) = newest_event(&app).await;
    assert_eq!(
        (kind.as_str(), by.as_str(), before),
        ("service-account-created", "root@example.com", Value::Null)
    );
    assert_eq!((&after["id"], &after["username"]), (&account["id"], &json!("deploy")));
}

#[actix_web::test]
async fn it_cannot_sign_in() {
    let app = TestApp::new().await;
    made(&app, "deploy", json!(1)).await;
    for password in ["", PASSWORD, "null"] {
        let body = json!({"username": "deploy", "password": password});
        app.post(As::Anonymous, "/auth/simple/login", &body).await.is(401, "PasswordMismatch");
    }
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    made(&app, "taken", json!(3)).await;
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/username", "/rootRole"]),
        (json!([]), &[""]),
        (json!({"username": "a"}), &["/rootRole"]),
        (json!({"rootRole": 3}), &["/username"]),
        (json!({"username": null, "rootRole": null}), &["/username", "/rootRole"]),
        (json!({"username": "", "rootRole": 3}), &["/username"]),
        (json!({"username": "a\u{0}", "rootRole": 3}), &["/username"]),
        (json!({"username": "x".repeat(256), "rootRole": 3}), &["/username"]),
        (json!({"username": [], "rootRole": 3}), &["/username"]),
        (json!({"username": "a", "name": "", "rootRole": 3}), &["/name"]),
        (json!({"username": "a", "name": {}, "rootRole": 3}), &["/name"]),
        (json!({"username": "a", "rootRole": 99}), &["/rootRole"]),
        (json!({"username": "a", "rootRole": 4}), &["/rootRole"]),
        (json!({"username": "a", "rootRole": "Nope"}), &["/rootRole"]),
        (json!({"username": "a", "rootRole": ""}), &["/rootRole"]),
        (json!({"username": "a", "rootRole": true}), &["/rootRole"]),
    ];
    refused_for(&app, request, cases).await;
    for taken in ["taken", "Viewer"] {
        let answer = app.post(As::Root, ACCOUNTS, &json!({"username": taken, "rootRole": 3})).await;
        assert_eq!(faults(&answer), ["-"], "{taken}");
    }
    app.send(As::Root, request().set_payload("{}")).await.is(415, "ContentTypeError");
    let accounts = app.get(As::Root, ACCOUNTS).await.json();
    assert_eq!(accounts["serviceAccounts"].as_array().map(Vec::len), Some(1), "nothing was made");
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 400, || request().set_json(json!({}))).await;
}

#[actix_web::test]
async fn other_sites_cannot_have_a_browser_make_one() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Root").await;
    let asked = request().set_json(json!({"username": "a", "rootRole": 1}));
    let asked = asked.insert_header(("sec-fetch-site", "cross-site"));
    app.send_with(&cookie, asked).await.is(403, "OperationDeniedError");
}
