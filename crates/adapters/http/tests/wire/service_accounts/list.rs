//! `GET …/service-account`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use super::{ACCOUNTS, made, token_of};
use crate::expectations::{ADMINS, faults, only};

#[actix_web::test]
async fn accounts_come_by_id_with_their_tokens_and_the_root_roles() {
    let app = TestApp::new().await;
    let first = made(&app, "z", json!(2)).await;
    made(&app, "a", json!("Viewer")).await;
    token_of(&app, first).await;
    insta::assert_json_snapshot!(app.get(As::Root, ACCOUNTS).await.json(), @r#"
    {
      "rootRoles": [
        {
          "description": "May do everything.",
          "id": 1,
          "name": "Admin",
          "type": "root"
        },
        {
          "description": "May work with the tokens of every project, and manage projects.",
          "id": 2,
          "name": "Editor",
          "type": "root"
        },
        {
          "description": "May look around, but sees no tokens.",
          "id": 3,
          "name": "Viewer",
          "type": "root"
        }
      ],
      "serviceAccounts": [
        {
          "accountType": "Service Account",
          "createdAt": "2023-04-19T08:15:14.000Z",
          "id": 7,
          "imageUrl": "https://gravatar.com/avatar/594e519ae499312b29433b7dd8a97ff068defcba9755b6d5d00e84c524d67b06?s=42&d=retro&r=g",
          "isAPI": false,
          "loginAttempts": 0,
          "rootRole": 2,
          "scimId": null,
          "seenAt": null,
          "tokens": [
            {
              "createdAt": "2023-04-19T08:15:14.000Z",
              "description": "deploy",
              "expiresAt": "2030-01-01T00:00:00.000Z",
              "id": 7,
              "seenAt": null,
              "userId": 7
            }
          ],
          "username": "z"
        },
        {
          "accountType": "Service Account",
          "createdAt": "2023-04-19T08:15:14.000Z",
          "id": 8,
          "imageUrl": "https://gravatar.com/avatar/ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb?s=42&d=retro&r=g",
          "isAPI": false,
          "loginAttempts": 0,
          "rootRole": 3,
          "scimId": null,
          "seenAt": null,
          "tokens": [],
          "username": "a"
        }
      ]
    }
    "#);
}

#[actix_web::test]
async fn people_are_not_among_them_nor_they_among_people() {
    let app = TestApp::new().await;
    assert_eq!(app.get(As::Root, ACCOUNTS).await.json()["serviceAccounts"], json!([]));
    made(&app, "robot", json!(3)).await;
    let people = app.get(As::Root, "/api/admin/user-admin").await.json();
    assert!(!people.to_string().contains("robot"));
}

#[actix_web::test]
async fn a_page_can_be_asked_for() {
    let app = TestApp::new().await;
    for name in ["a", "b", "c"] {
        made(&app, name, json!(3)).await;
    }
    for (query, expected) in
        [("limit=1", vec!["a"]), ("limit=2&offset=1", vec!["b", "c"]), ("offset=3", vec![])]
    {
        let body = app.get(As::Root, &format!("{ACCOUNTS}?{query}")).await.json();
        let accounts = body["serviceAccounts"].as_array().expect("accounts");
        let names: Vec<_> = accounts.iter().map(|account| account["username"].as_str()).collect();
        assert_eq!(names, expected.into_iter().map(Some).collect::<Vec<_>>(), "{query}");
    }
    let answer = app.get(As::Root, &format!("{ACCOUNTS}?limit=x&offset=-1")).await;
    assert_eq!(faults(&answer), ["/query/limit", "/query/offset"]);
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 200, || TestRequest::get().uri(ACCOUNTS)).await;
}
