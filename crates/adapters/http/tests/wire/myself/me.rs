//! `GET /api/admin/user`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::ME;
use crate::expectations::{SIGNED_IN, only};

async fn permissions(app: &TestApp, who: As) -> Value {
    app.get(who, ME).await.json()["permissions"].clone()
}

#[actix_web::test]
async fn a_user_sees_themselves() {
    let app = TestApp::new().await;
    let answer = app.get(As::Viewer, ME).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    insta::assert_json_snapshot!(answer.json(), @r#"
    {
      "feedback": [],
      "permissions": [],
      "splash": {},
      "user": {
        "accountType": "User",
        "createdAt": "2023-04-19T08:15:14.000Z",
        "email": "viewer@example.com",
        "id": 3,
        "imageUrl": "https://gravatar.com/avatar/0ad80c7f6dff0dceded893acb06a69e86b27b9f978bc164cee272714dc4cac9b?s=42&d=retro&r=g",
        "isAPI": false,
        "loginAttempts": 0,
        "rootRole": 3,
        "scimId": null,
        "seenAt": null,
        "username": "Viewer"
      }
    }
    "#);
    let cookie = app.sign_in("Viewer").await;
    let mut by_session = app.send_with(&cookie, TestRequest::get().uri(ME)).await.json();
    assert_eq!(by_session["user"]["seenAt"], "2023-04-19T08:15:14.000Z");
    by_session["user"]["seenAt"] = Value::Null;
    assert_eq!(by_session, answer.json());
}

#[actix_web::test]
async fn an_admin_token_sees_itself_without_its_secret() {
    let app = TestApp::new().await;
    let answer = app.get(As::Admin, ME).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    insta::assert_json_snapshot!(answer.json(), @r#"
    {
      "feedback": [],
      "permissions": [
        {
          "permission": "ADMIN"
        }
      ],
      "splash": {},
      "user": {
        "environment": "*",
        "internalAdminTokenUserId": -42,
        "isAPI": true,
        "permissions": [
          "ADMIN"
        ],
        "projects": [
          "*"
        ],
        "type": "admin",
        "username": "made"
      }
    }
    "#);
}

#[actix_web::test]
async fn permissions_say_where_they_are_held() {
    let app = TestApp::new().await;
    let token = ["READ_PROJECT_API_TOKEN", "CREATE_PROJECT_API_TOKEN", "DELETE_PROJECT_API_TOKEN"];
    let at = |permissions: &[&str], project: &str| -> Vec<Value> {
        permissions.iter().map(|name| json!({"permission": name, "project": project})).collect()
    };
    assert_eq!(permissions(&app, As::Root).await, json!([{"permission": "ADMIN"}]));
    assert_eq!(permissions(&app, As::Viewer).await, json!([]));
    assert_eq!(permissions(&app, As::Member).await, json!(at(&token, "default")));
    assert_eq!(permissions(&app, As::MemberElsewhere).await, json!(at(&token, "elsewhere")));
    let owner = [&token[..], &["UPDATE_PROJECT", "DELETE_PROJECT"]].concat();
    assert_eq!(permissions(&app, As::Owner).await, json!(at(&owner, "default")));
    let editor = permissions(&app, As::Editor).await;
    for held in [
        json!({"permission": "READ_CLIENT_API_TOKEN"}),
        json!({"permission": "CREATE_PROJECT"}),
        json!({"permission": "READ_PROJECT_API_TOKEN", "project": "*"}),
        json!({"permission": "UPDATE_PROJECT", "project": "*"}),
    ] {
        assert!(editor.as_array().expect("a list").contains(&held), "{held} in {editor}");
    }
    assert_eq!(editor.as_array().map(Vec::len), Some(8));
}

#[actix_web::test]
async fn permissions_are_those_of_the_moment() {
    let app = TestApp::new().await;
    app.use_cases.follow_changes().await.expect("followed");
    let cookie = app.sign_in("Viewer").await;
    let me = || TestRequest::get().uri(ME);
    assert_eq!(app.send_with(&cookie, me()).await.json()["permissions"], json!([]));
    let id = app.user_of(As::Viewer).await.id;
    app.put(As::Root, &format!("/api/admin/user-admin/{id}"), &json!({"rootRole": 1, "name": "Vi"})).await;
    let now = app.send_with(&cookie, me()).await.json();
    assert_eq!(
        (&now["permissions"], &now["user"]["name"]),
        (&json!([{"permission": "ADMIN"}]), &json!("Vi"))
    );
    app.delete(As::Root, &format!("/api/admin/user-admin/{id}")).await;
    app.send_with(&cookie, me()).await.is(401, "AuthenticationRequired");
}

#[actix_web::test]
async fn the_picture_depends_on_the_address_or_else_on_the_user_name() {
    let app = TestApp::new().await;
    let picture = |user: Value| user["imageUrl"].as_str().expect("text").to_owned();
    let make = async |body: Value| picture(app.post(As::Root, "/api/admin/user-admin", &body).await.json());
    // As Unleash has them.
    assert_eq!(
        make(json!({"username": "admin", "rootRole": 3})).await,
        "https://gravatar.com/avatar/8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918?s=42&d=retro&r=g"
    );
    assert_eq!(
        make(json!({"username": "ed", "email": "ED@example.com", "rootRole": 3})).await,
        "https://gravatar.com/avatar/30eca34b85df1da08b6230f0b661d6789ab2c925fd203f971785da3214a21b87?s=42&d=retro&r=g"
    );
}

#[actix_web::test]
async fn all_signed_in_clients_may() {
    let app = TestApp::new().await;
    only(&app, SIGNED_IN, 200, || TestRequest::get().uri(ME)).await;
    let answer = app.get(As::Client, ME).await;
    let message = "invalid token: expected a different token type for this endpoint";
    assert_eq!(answer.json()["message"], message);
}
