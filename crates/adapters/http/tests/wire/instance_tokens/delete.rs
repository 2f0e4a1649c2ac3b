//! `DELETE …/api-tokens/{token}`

use actix_web::test::TestRequest;
use latchkey_domain::{ProjectScope, ProjectSet, TokenAccess, TokenKind};
use latchkey_testkit::{
    app::{As, TOKENS, TestApp},
    samples::{access, project_id},
};
use serde_json::{Value, json};

use super::{ALL, made, named};
use crate::expectations::{ADMINS, event_count, newest_event, only};

fn request(token: &str) -> TestRequest {
    TestRequest::delete().uri(&format!("{ALL}/{token}"))
}

#[actix_web::test]
async fn a_token_of_any_scope_is_refused_from_the_answer_on() {
    let app = TestApp::new().await;
    app.use_cases.follow_changes().await.expect("followed");
    let both = ProjectSet::new(["default", "elsewhere"].map(project_id)).expect("two");
    for access in [
        TokenAccess::Admin,
        access(TokenKind::Client, ProjectScope::All),
        access(TokenKind::Frontend, ProjectScope::Only(both)),
    ] {
        let secret = app.token(access).await;
        assert_ne!(app.send_by(&secret, TestRequest::get().uri(TOKENS)).await.status, 401);
        let answer = app.delete(As::Root, &format!("{ALL}/{secret}")).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
        app.send_by(&secret, TestRequest::get().uri(TOKENS)).await.is(401, "UnauthorizedError");
        let (kind, by, before, after) = newest_event(&app).await;
        assert_eq!(
            (kind.as_str(), by.as_str(), after),
            ("api-token-deleted", "root@example.com", Value::Null)
        );
        assert_eq!((&before["tokenName"], before.get("secret")), (&json!("given"), None));
    }
}

#[actix_web::test]
async fn a_token_is_named_by_its_secret_escaped_and_by_its_id() {
    let app = TestApp::new().await;
    let (secret, _) = app.token_and_id(TokenAccess::Admin).await;
    let (_, token_id) = app.token_and_id(TokenAccess::Admin).await;
    for reference in [secret.replace(':', "%3A").replace('*', "%2A"), token_id] {
        assert_eq!(app.delete(As::Root, &format!("{ALL}/{reference}")).await.status, 200);
    }
    assert_eq!(named(&app, "given").await, Vec::<Value>::new());
}

#[actix_web::test]
async fn deleting_an_unknown_token_succeeds() {
    let app = TestApp::new().await;
    let secret = made(&app, "t", "client").await;
    app.delete(As::Root, &format!("{ALL}/{secret}")).await;
    let before = event_count(&app).await;
    for token in [&secret, "none", "a%20b", "%20", "%C3%A9", "9c40958a-daac-400e-98fb-3bb438567008"] {
        let answer = app.send(As::Root, request(token)).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0), "{token}");
    }
    assert_eq!(event_count(&app).await, before, "and leaves no event");
    app.send(As::Root, request("%FF")).await.is(400, "BadDataError");
}

#[actix_web::test]
async fn a_request_body_is_ignored() {
    let app = TestApp::new().await;
    let secret = made(&app, "t", "client").await;
    let with_body = request(&secret).insert_header(("content-type", "application/json")).set_payload("{x");
    assert_eq!(app.send(As::Root, with_body).await.status, 200);
    assert_eq!(named(&app, "t").await, Vec::<Value>::new());
}

#[actix_web::test]
async fn an_admin_token_can_end_itself() {
    let app = TestApp::new().await;
    let secret = app.token(TokenAccess::Admin).await;
    assert_eq!(app.send_by(&secret, request(&secret)).await.status, 200);
    assert_eq!(app.send_by(&secret, request(&secret)).await.status, 401);
}

#[actix_web::test]
async fn deleting_needs_the_permission_for_that_type() {
    let app = TestApp::without_quota().await;
    only(&app, ADMINS, 200, || request("none")).await;
    for (permission, statuses) in
        [("DELETE_CLIENT_API_TOKEN", [200, 403, 403]), ("DELETE_FRONTEND_API_TOKEN", [403, 200, 403])]
    {
        let client = made(&app, "c", "client").await;
        let frontend = made(&app, "f", "frontend").await;
        let admin = app.token(TokenAccess::Admin).await;
        let holder = app.holder_of(&[permission]).await;
        for (token, status) in [&client, &frontend, &admin].into_iter().zip(statuses) {
            let answer = app.send_by(&holder, request(token)).await;
            assert_eq!(answer.status.as_u16(), status, "{permission} {token}");
            if status == 403 {
                answer.is(403, "OperationDeniedError");
            }
        }
    }
}

#[actix_web::test]
async fn other_sites_cannot_have_a_browser_delete_it() {
    let app = TestApp::new().await;
    let secret = made(&app, "t", "client").await;
    let cookie = app.sign_in("Root").await;
    let asked = request(&secret).insert_header(("origin", "null"));
    app.send_with(&cookie, asked).await.is(403, "OperationDeniedError");
    assert_eq!(named(&app, "t").await.len(), 1);
}
