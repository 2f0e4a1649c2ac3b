//! The error object, credentials, and the id of each request.

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::json;

#[actix_web::test]
async fn a_request_without_credentials_is_told_where_to_sign_in() {
    let app = TestApp::new().await;
    let answer = app.get(As::Anonymous, TOKENS).await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    let mut body = answer.json();
    body["id"] = json!("[uuid]");
    insta::assert_json_snapshot!(body, @r#"
    {
      "details": [
        {
          "message": "You must log in to use Latchkey. Your request had no authorization header, so we could not authorize you. Try logging in at /auth/simple/login."
        }
      ],
      "id": "[uuid]",
      "message": "You must log in to use Latchkey. Your request had no authorization header, so we could not authorize you. Try logging in at /auth/simple/login.",
      "name": "AuthenticationRequired",
      "path": "/auth/simple/login",
      "type": "password"
    }
    "#);
}

#[actix_web::test]
async fn credentials_come_bare_or_as_a_bearers() {
    let app = TestApp::new().await;
    let secret = app.secret_of(As::Admin).expect("signed in").to_owned();
    for (header, status) in [
        (secret.clone(), 200),
        (format!("Bearer {secret}"), 200),
        (format!("bEARER    {secret}"), 200),
        (format!("Basic {secret}"), 401),
        (format!("{secret}x"), 401),
        (secret.to_uppercase(), 401),
        ("Bearer".to_owned(), 401),
        (String::new(), 401),
        ("é".repeat(40), 401),
    ] {
        let request = TestRequest::get().uri(TOKENS).insert_header(("authorization", header.as_str()));
        assert_eq!(app.send(As::Anonymous, request).await.status.as_u16(), status, "{header}");
    }
}

#[actix_web::test]
async fn a_revoked_session_of_trust_ends_with_the_answer_that_ends_it() {
    let app = TestApp::new().await;
    app.use_cases.follow_changes().await.expect("followed");
    let created = app.post(As::Admin, TOKENS, &json!({"tokenName": "x", "type": "client"})).await.json();
    let secret = created["secret"].as_str().expect("text");
    let use_it = || TestRequest::get().uri(TOKENS).insert_header(("authorization", secret));
    app.send(As::Anonymous, use_it()).await.is(403, "NoAccessError");
    app.delete(As::Admin, &format!("{TOKENS}/{secret}")).await;
    app.send(As::Anonymous, use_it()).await.is(401, "UnauthorizedError");
}

#[actix_web::test]
async fn every_answer_has_the_id_of_its_request() {
    let app = TestApp::new().await;
    for (path, who) in
        [(TOKENS, As::Admin), (TOKENS, As::Anonymous), ("/nosuch", As::Anonymous), ("/health", As::Anonymous)]
    {
        let sent = TestRequest::get().uri(path).insert_header(("x-request-id", "from-a-client_1"));
        assert_eq!(app.send(who, sent).await.header("x-request-id"), Some("from-a-client_1"));
        let fresh = app.get(who, path).await;
        assert_eq!(fresh.header("x-request-id").map(str::len), Some(36));
        assert_eq!(fresh.header("x-content-type-options"), Some("nosniff"));
    }
    for unfit in ["with blank", &"x".repeat(129), "é"] {
        let sent = TestRequest::get().uri("/health").insert_header(("x-request-id", unfit));
        let answer = app.send(As::Anonymous, sent).await;
        let made = answer.header("x-request-id").expect("an id");
        assert_eq!(made.len(), 36, "{unfit}");
    }
}
