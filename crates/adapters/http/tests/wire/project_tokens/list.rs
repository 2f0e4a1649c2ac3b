//! `GET …/api-tokens`

use actix_web::test::TestRequest;
use latchkey_domain::{ProjectScope, ProjectSet, TokenAccess, TokenKind};
use latchkey_service::Reveal;
use latchkey_testkit::{
    app::{As, TOKENS, TestApp},
    samples::{access, project_id},
};
use serde_json::json;

#[actix_web::test]
async fn the_response_is_a_list_of_complete_tokens() {
    let app = TestApp::new().await;
    app.project("p2").await;
    let both = ProjectSet::new(["p2", "default"].map(project_id)).expect("two");
    app.token(access(TokenKind::Frontend, ProjectScope::Only(both))).await;
    app.token(access(TokenKind::Client, ProjectScope::All)).await;
    app.token(TokenAccess::Admin).await;
    let answer = app.get(As::Member, TOKENS).await;
    assert_eq!(answer.status, 200);
    let text = String::from_utf8(answer.bytes.clone()).expect("UTF-8");
    let first = answer.json()["tokens"][0].clone();
    let [secret, id] = ["secret", "id"].map(|member| first[member].as_str().expect("text"));
    assert!(secret.starts_with("[]:development."), "{secret}");
    insta::assert_snapshot!(text.replace(secret, "[secret]").replace(id, "[id]"), @r#"{"tokens":[{"secret":"[secret]","tokenName":"given","username":"given","type":"frontend","environment":"development","project":"p2,default","projects":["p2","default"],"expiresAt":null,"createdAt":"2023-04-19T08:15:14.000Z","seenAt":null,"alias":null,"secure":false,"id":"[id]"}]}"#);
}

#[actix_web::test]
async fn listing_needs_the_permission_in_the_project() {
    let app = TestApp::new().await;
    for (who, status, kind) in [
        (As::Anonymous, 401, "AuthenticationRequired"),
        (As::Unknown, 401, "UnauthorizedError"),
        (As::Expired, 401, "UnauthorizedError"),
        (As::Client, 403, "NoAccessError"),
        (As::Frontend, 403, "NoAccessError"),
        (As::Viewer, 403, "NoAccessError"),
        (As::MemberElsewhere, 403, "NoAccessError"),
    ] {
        app.get(who, TOKENS).await.is(status, kind);
    }
    for who in [As::Member, As::Owner, As::Editor, As::Admin] {
        assert_eq!(app.get(who, TOKENS).await.status, 200, "{who:?}");
    }
}

#[actix_web::test]
async fn a_refusal_names_the_permission_and_the_project() {
    let app = TestApp::new().await;
    let mut body = app.get(As::Viewer, TOKENS).await.json();
    body["id"] = json!("[uuid]");
    insta::assert_json_snapshot!(body, @r#"
    {
      "details": [
        {
          "message": "You need the \"READ_PROJECT_API_TOKEN\" permission to perform this action in the \"default\" project."
        }
      ],
      "id": "[uuid]",
      "message": "You need the \"READ_PROJECT_API_TOKEN\" permission to perform this action in the \"default\" project.",
      "name": "NoAccessError",
      "permissions": [
        "READ_PROJECT_API_TOKEN"
      ]
    }
    "#);
}

#[actix_web::test]
async fn without_the_permission_the_existence_of_a_project_is_hidden() {
    let app = TestApp::new().await;
    for path in ["/api/admin/projects/nope/api-tokens", "/api/admin/projects/a%20b/api-tokens"] {
        app.get(As::Member, path).await.is(403, "NoAccessError");
        app.get(As::Editor, path).await.is(404, "NotFoundError");
    }
}

#[actix_web::test]
async fn a_list_that_the_client_has_is_a_304() {
    let app = TestApp::new().await;
    let tag = app.get(As::Admin, TOKENS).await.header("etag").expect("a tag").to_owned();
    assert!(tag.starts_with("W/\"d-"), "{tag}");
    for known in [tag.as_str(), "*", &format!("\"other\", {}", tag.trim_start_matches("W/"))] {
        let request = TestRequest::get().uri(TOKENS).insert_header(("if-none-match", known));
        let answer = app.send(As::Admin, request).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (304, 0), "{known}");
    }
    let request = TestRequest::get().uri(TOKENS).insert_header(("if-none-match", "W/\"d-0\""));
    assert_eq!(app.send(As::Admin, request).await.status, 200);
    app.post(As::Admin, TOKENS, &json!({"tokenName": "x", "type": "client"})).await;
    let request = TestRequest::get().uri(TOKENS).insert_header(("if-none-match", tag));
    assert_eq!(app.send(As::Admin, request).await.status, 200, "it changed");
}

#[actix_web::test]
async fn a_show_once_token_is_listed_by_its_id() {
    let app = TestApp::with(|settings| settings.use_cases.tokens.reveal = Reveal::Once).await;
    let created = app.post(As::Admin, TOKENS, &json!({"tokenName": "x", "type": "client"})).await.json();
    assert_eq!(created["secure"], true);
    let listed = app.get(As::Admin, TOKENS).await.json()["tokens"][0].clone();
    assert_eq!(listed["secure"], true);
    let shown = listed["secret"].as_str().expect("text");
    assert_eq!(shown.len(), 36, "an id: {shown}");
    assert_eq!(app.delete(As::Admin, &format!("{TOKENS}/{shown}")).await.status, 200);
}
