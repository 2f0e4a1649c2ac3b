//! `/auth/verify`: which tokens are accepted, and the headers for the gateway. `requirements.rs` tests its requirements.

use actix_web::{
    http::{Method, header::HeaderValue},
    test::TestRequest,
};
use latchkey_domain::{ProjectScope, ProjectSet, TokenAccess, TokenKind};
use latchkey_testkit::{
    app::{As, Response, TestApp},
    samples::{access, project_id},
};
use serde_json::json;

use super::{OVERLAP, Secrets};

const VERIFY: &str = "/auth/verify";

async fn verify(app: &TestApp, secret: &str) -> Response {
    app.send_by(secret, TestRequest::get().uri(VERIFY)).await
}

/// Returns the headers for the gateway: name, type, projects and environment.
fn told(answer: &Response) -> [&str; 4] {
    assert_eq!(answer.status, 200);
    ["name", "type", "projects", "environment"]
        .map(|what| answer.header(&format!("x-latchkey-token-{what}")).expect("a header"))
}

#[actix_web::test]
async fn a_valid_token_is_described_in_headers_that_no_cache_stores() {
    let app = TestApp::new().await;
    let both = ProjectSet::new(["default", "elsewhere"].map(project_id)).expect("two");
    let several = app.token(access(TokenKind::Frontend, ProjectScope::Only(both))).await;
    let all = app.token(access(TokenKind::Client, ProjectScope::All)).await;
    let admin = app.token(TokenAccess::Admin).await;
    let answer = verify(&app, &several).await;
    assert_eq!(told(&answer), ["given", "frontend", "default,elsewhere", "development"]);
    assert_eq!((answer.header("cache-control"), answer.bytes.as_slice()), (Some("no-store"), &b""[..]));
    assert_eq!(told(&verify(&app, &all).await), ["given", "client", "*", "development"]);
    assert_eq!(told(&verify(&app, &admin).await), ["given", "admin", "*", "*"]);
}

#[actix_web::test]
async fn a_name_is_sent_so_that_any_header_can_carry_it() {
    let app = TestApp::without_quota().await;
    for (name, sent) in [
        ("web shop", "web shop"),
        ("Häuser, 50 %", "H%C3%A4user, 50 %25"),
        ("\u{1f511}", "%F0%9F%94%91"),
        ("a: \"b\"; c", "a: \"b\"; c"),
    ] {
        let body = json!({"tokenName": name, "type": "client"});
        let made = app.post(As::Root, "/api/admin/api-tokens", &body).await.json();
        let answer = verify(&app, made["secret"].as_str().expect("a secret")).await;
        assert_eq!(told(&answer)[0], sent);
    }
}

#[actix_web::test]
async fn secrets_in_every_state_are_told_apart() {
    let app = TestApp::new().await;
    let secrets = Secrets::of(&app).await;
    for good in secrets.good_ones() {
        assert_eq!(verify(&app, good).await.status, 200, "{good}");
    }
    for bad in secrets.bad_ones() {
        let answer = verify(&app, bad).await;
        answer.is(401, "UnauthorizedError");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert_eq!(answer.header("x-latchkey-token-name"), None);
    }
    verify(&app, &secrets.personal).await.is(403, "OperationDeniedError");
    app.clock.advance(OVERLAP);
    verify(&app, &secrets.replaced).await.is(401, "UnauthorizedError");
    assert_eq!(verify(&app, &secrets.successor).await.status, 200);
}

#[actix_web::test]
async fn credentials_come_bare_or_as_a_bearers_and_in_no_other_way() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    for (header, status) in [
        (good.clone(), 200),
        (format!("Bearer {good}"), 200),
        (format!("bearer   {good}"), 200),
        (format!("Basic {good}"), 401),
        (format!("Bearer {good} x"), 401),
        ("Bearer".to_owned(), 401),
        (String::new(), 401),
        ("é".to_owned(), 401),
    ] {
        let request = TestRequest::get().uri(VERIFY).insert_header(("authorization", header.as_str()));
        assert_eq!(app.send(As::Anonymous, request).await.status.as_u16(), status, "{header}");
    }
    let answer = app.get(As::Anonymous, VERIFY).await;
    answer.is(401, "AuthenticationRequired");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    let bytes = HeaderValue::from_bytes(b"Bearer \xff").expect("allowed on the wire");
    let request = TestRequest::get().uri(VERIFY).insert_header(("authorization", bytes));
    app.send(As::Anonymous, request).await.is(401, "UnauthorizedError");
    app.get(As::Anonymous, &format!("{VERIFY}?token={good}&access_token={good}"))
        .await
        .is(401, "AuthenticationRequired");
}

#[actix_web::test]
async fn a_session_cookie_is_not_a_token() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Root").await;
    let answer = app.send_with(&cookie, TestRequest::get().uri(VERIFY)).await;
    answer.is(401, "AuthenticationRequired");
}

#[actix_web::test]
async fn every_method_verifies_the_token() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    for path in [VERIFY, "/auth/verify/", "/auth/verify/request/some/path%2F?a=b"] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
            let request = || TestRequest::with_uri(path).method(method.parse::<Method>().expect("a method"));
            assert_eq!(app.send(As::Anonymous, request()).await.status, 401, "{method} {path}");
            let answer = app.send_by(&good, request().set_payload("passed over")).await;
            assert_eq!(told(&answer), ["given", "client", "default", "development"], "{method} {path}");
        }
    }
    for path in ["/auth/verifying", "/auth/verify2/x", "/auth//verify", "/auth"] {
        app.send_by(&good, TestRequest::get().uri(path)).await.is(404, "NotFoundError");
    }
}

#[actix_web::test]
async fn a_settings_header_is_looked_at_before_authorization() {
    let app = TestApp::with(|settings| {
        settings.http.verify_header = Some("x-api-key".parse().expect("a name"));
    })
    .await;
    let secrets = Secrets::of(&app).await;
    for (own, authorization, status) in [
        (Some(&secrets.good), None, 200),
        (Some(&secrets.good), Some(&secrets.revoked), 200),
        (Some(&secrets.revoked), Some(&secrets.good), 401),
        (None, Some(&secrets.good), 200),
        (None, None, 401),
    ] {
        let mut request = TestRequest::get().uri(VERIFY);
        for (name, value) in [("x-api-key", own), ("authorization", authorization)] {
            request =
                value.into_iter().fold(request, |request, value| request.insert_header((name, &**value)));
        }
        assert_eq!(
            app.send(As::Anonymous, request).await.status.as_u16(),
            status,
            "{own:?} {authorization:?}"
        );
    }
}
