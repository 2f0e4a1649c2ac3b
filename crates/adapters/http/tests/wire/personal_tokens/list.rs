//! `GET …/user/tokens`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use super::PATS;

#[actix_web::test]
async fn a_user_reads_an_own_token_by_id() {
    let app = TestApp::new().await;
    app.post(As::Viewer, PATS, &json!({"description": "a", "expiresAt": "9999-12-31T00:00:00Z"})).await;
    app.post(As::Editor, PATS, &json!({"description": "b", "expiresAt": "2030-01-01T00:00:00Z"})).await;
    let answer = app.get(As::Viewer, PATS).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    insta::assert_json_snapshot!(answer.json(), @r#"
    {
      "pats": [
        {
          "createdAt": "2023-04-19T08:15:14.000Z",
          "description": "test",
          "expiresAt": "2096-10-02T07:06:40.000Z",
          "id": 3,
          "seenAt": null,
          "userId": 3
        },
        {
          "createdAt": "2023-04-19T08:15:14.000Z",
          "description": "a",
          "expiresAt": "9999-12-31T00:00:00.000Z",
          "id": 7,
          "seenAt": null,
          "userId": 3
        }
      ]
    }
    "#);
}

#[actix_web::test]
async fn it_says_when_a_token_was_last_used() {
    let app = TestApp::new().await;
    app.get(As::Viewer, PATS).await;
    app.use_cases.flush_usage().await.expect("written");
    let seen = app.get(As::Viewer, PATS).await.json()["pats"][0]["seenAt"].clone();
    assert_eq!(seen, "2023-04-19T08:15:14.000Z");
}

#[actix_web::test]
async fn only_users_may() {
    let app = TestApp::new().await;
    app.get(As::Anonymous, PATS).await.is(401, "AuthenticationRequired");
    app.get(As::Expired, PATS).await.is(401, "UnauthorizedError");
    app.get(As::Admin, PATS).await.is(403, "OperationDeniedError");
    app.get(As::Client, PATS).await.is(403, "NoAccessError");
    for who in [As::Viewer, As::MemberElsewhere, As::Root] {
        assert_eq!(app.get(who, PATS).await.status, 200, "{who:?}");
    }
    let cookie = app.sign_in("Viewer").await;
    let by_session = app.send_with(&cookie, TestRequest::get().uri(PATS)).await;
    assert_eq!(by_session.json(), app.get(As::Viewer, PATS).await.json());
}
