//! `POST /oauth2/introspect` (RFC 7662)

use actix_web::{http::Method, test::TestRequest};
use latchkey_domain::{ProjectScope, TokenAccess, TokenKind};
use latchkey_testkit::{
    app::{As, Response, TestApp},
    samples::{access, project_id},
};
use serde_json::json;

use super::{OVERLAP, Secrets};
use crate::expectations::faults;

const INTROSPECT: &str = "/oauth2/introspect";
const FORM: &str = "application/x-www-form-urlencoded";

fn about(secret: &str) -> TestRequest {
    TestRequest::post().uri(INTROSPECT).set_form([("token", secret)])
}

async fn introspect(app: &TestApp, secret: &str) -> Response {
    app.send(As::Client, about(secret)).await
}

#[actix_web::test]
async fn a_valid_token_is_described() {
    let app = TestApp::new().await;
    let (secret, token_id) =
        app.token_and_id(access(TokenKind::Client, ProjectScope::one(project_id("default")))).await;
    let answer = introspect(&app, &secret).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let mut body = answer.json();
    assert_eq!(body["sub"].take(), json!(token_id));
    insta::assert_json_snapshot!(body, @r#"
    {
      "active": true,
      "client_id": "given",
      "environment": "development",
      "iat": 1681892114,
      "projects": [
        "default"
      ],
      "sub": null,
      "token_type": "Bearer",
      "type": "client"
    }
    "#);
    let admin = introspect(&app, &app.token(TokenAccess::Admin).await).await.json();
    assert_eq!((&admin["projects"], &admin["environment"]), (&json!(["*"]), &json!("*")));
}

#[actix_web::test]
async fn its_end_is_told_in_seconds() {
    let app = TestApp::new().await;
    let body = json!({"tokenName": "t", "type": "client", "expiresAt": "2030-01-01T00:00:00.999Z"});
    let made = app.post(As::Root, "/api/admin/api-tokens", &body).await.json();
    let answer = introspect(&app, made["secret"].as_str().expect("a secret")).await;
    assert_eq!(answer.json()["exp"], json!(1_893_456_000));
}

#[actix_web::test]
async fn an_invalid_token_is_only_told_to_be_inactive() {
    let app = TestApp::new().await;
    let secrets = Secrets::of(&app).await;
    for good in secrets.good_ones() {
        assert_eq!(introspect(&app, good).await.json()["active"], json!(true), "{good}");
    }
    let session = app.sign_in("Root").await.split_once('=').expect("a pair").1.to_owned();
    let bearer = format!("Bearer {}", secrets.good);
    let no_secrets = [&*secrets.personal, &session, &bearer, " ", "\0", "é", "a b"];
    for bad in secrets.bad_ones().into_iter().chain(no_secrets) {
        let answer = introspect(&app, bad).await;
        assert_eq!(
            (answer.status.as_u16(), answer.bytes.as_slice()),
            (200, &b"{\"active\":false}"[..]),
            "{bad}"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    app.clock.advance(OVERLAP);
    assert_eq!(introspect(&app, &secrets.replaced).await.json(), json!({"active": false}));
}

#[actix_web::test]
async fn introspection_requires_credentials_and_no_cookie() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    for (who, status) in [
        (As::Anonymous, 401),
        (As::Unknown, 401),
        (As::Expired, 401),
        (As::Frontend, 403),
        (As::Client, 200),
        (As::Viewer, 200),
        (As::Editor, 200),
        (As::Root, 200),
        (As::Admin, 200),
    ] {
        let answer = app.send(who, about(&good)).await;
        assert_eq!(answer.status.as_u16(), status, "{who:?}");
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401, "{who:?}");
    }
    app.send(As::Anonymous, about(&good)).await.is(401, "AuthenticationRequired");
    app.send(As::Unknown, about(&good)).await.is(401, "UnauthorizedError");
    app.send(As::Frontend, about(&good)).await.is(403, "OperationDeniedError");
    let itself = app.send_by(&good, about(&good)).await;
    assert_eq!(itself.json()["active"], json!(true), "a token may ask about itself");
    let unread = TestRequest::post().uri(INTROSPECT).set_payload("no form");
    app.send(As::Anonymous, unread).await.is(401, "AuthenticationRequired");
}

#[actix_web::test]
async fn the_form_is_read_as_forms_are() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    let encoded = good.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
    for body in [
        format!("token={good}"),
        format!("token={encoded}"),
        format!("token_type_hint=refresh_token&token={good}&unknown=x&&"),
    ] {
        for content_type in [FORM, "Application/X-WWW-Form-Urlencoded", &format!("{FORM}; charset=UTF-8")] {
            let request = TestRequest::post().uri(INTROSPECT).insert_header(("content-type", content_type));
            let answer = app.send(As::Client, request.set_payload(body.clone())).await;
            assert_eq!(answer.json()["active"], json!(true), "{content_type}: {body}");
        }
    }
    let request = |body: &str| {
        let request = TestRequest::post().uri(INTROSPECT).insert_header(("content-type", FORM));
        request.set_payload(body.to_owned())
    };
    for body in [
        "",
        "token",
        "token=",
        "Token=a",
        "tokens=a",
        "token=a&token=b",
        "token=a&token=a",
        "{\"token\":\"a\"}",
    ] {
        let answer = app.send(As::Client, request(body)).await;
        assert_eq!(faults(&answer), ["/body/token"], "{body}");
    }
    let large = request(&format!("token={}", "x".repeat(1024 * 1024)));
    app.send(As::Client, large).await.is(413, "PayloadTooLargeError");
}

#[actix_web::test]
async fn other_bodies_and_queries_are_not_read() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    let form = format!("token={good}");
    for content_type in
        ["application/json", "text/plain", "application/x-www-form-urlencodedx", "", "multipart/form-data"]
    {
        let request = TestRequest::post().uri(INTROSPECT).insert_header(("content-type", content_type));
        app.send(As::Client, request.set_payload(form.clone())).await.is(415, "ContentTypeError");
    }
    let squeezed = about(&good).insert_header(("content-encoding", "gzip"));
    app.send(As::Client, squeezed).await.is(415, "ContentTypeError");
    // RFC 7662, section 4: a secret in a query ends in logs.
    let by_query = TestRequest::post().uri(&format!("{INTROSPECT}?{form}")).set_form([("x", "y")]);
    assert_eq!(faults(&app.send(As::Client, by_query).await), ["/body/token"]);
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
        let answer = app.method(As::Client, method, &format!("{INTROSPECT}?{form}")).await;
        answer.is(405, "MethodNotAllowedError");
        assert_eq!(answer.header("allow"), Some("POST"));
    }
}
