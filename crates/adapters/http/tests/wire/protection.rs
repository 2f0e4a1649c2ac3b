//! Headers that protect responses, requests of other origins, and limits of what a request may hold.

use std::sync::Arc;

use actix_web::{
    body::{BodySize, MessageBody as _},
    http::{
        Method,
        header::{CONTENT_TYPE, ORIGIN},
    },
    test::TestRequest,
};
use latchkey_http::MemoryBudget;
use latchkey_testkit::app::{As, Response, TestApp};
use serde_json::json;

const TOKENS: &str = "/api/admin/projects/default/api-tokens";
const CONSOLE: &str = "https://console.example.com";

#[actix_web::test]
async fn nothing_that_holds_a_secret_is_stored_by_a_cache() {
    let app = TestApp::new().await;
    let body = json!({"tokenName": "web", "type": "client"});
    let created = app.post(As::Admin, TOKENS, &body).await;
    let secret = created.json()["secret"].as_str().expect("a secret").to_owned();
    for response in [
        created,
        app.get(As::Admin, TOKENS).await,
        app.get(As::Admin, "/api/admin/api-tokens").await,
        app.get(As::Admin, &format!("{TOKENS}/{secret}")).await,
        app.get(As::Admin, "/api/admin/user").await,
        app.get(As::Unknown, TOKENS).await,
        app.delete(As::Admin, &format!("{TOKENS}/{secret}")).await,
    ] {
        assert_eq!(response.header("cache-control"), Some("no-store"), "{}", response.status);
    }
    // Lists without secrets may be kept by the client, which asks whether they have changed.
    let projects = app.get(As::Admin, "/api/admin/projects").await;
    assert_eq!(projects.header("cache-control"), Some("private, no-cache"));
}

#[actix_web::test]
async fn pages_may_load_only_what_they_need() {
    let app = TestApp::new().await;
    let page = app.get(As::Unknown, "/docs/openapi/").await;
    let policy = page.header("content-security-policy").expect("a policy");
    for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.split("; ").any(|one| one == part), "{part} not in {policy}");
    }
    assert!(!policy.contains("unsafe-eval") && !policy.contains('*'), "{policy}");
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));

    let methods = app.method(As::Admin, Method::OPTIONS, "/health").await;
    assert!(methods.header("content-type").expect("a page").starts_with("text/html"));
    let policy = methods.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("script-src"), "{policy}");
    // Without TLS, browsers are told nothing about it.
    assert_eq!(page.header("strict-transport-security"), None);
}

#[actix_web::test]
async fn the_files_of_the_page_are_long_and_whole() {
    let app = TestApp::new().await;
    let script = "/docs/openapi/swagger-ui-bundle.js";
    let response = app.respond(As::Admin, TestRequest::get().uri(script)).await;
    let BodySize::Sized(length) = response.response().body().size() else { panic!("its length is known") };
    assert!(length > 1_000_000, "{length}");
    assert_eq!(app.get(As::Unknown, script).await.bytes.len() as u64, length);
}

async fn from(app: &TestApp, origin: &str, request: TestRequest) -> Response {
    app.send(As::Admin, request.insert_header((ORIGIN, origin))).await
}

fn preflight(path: &str) -> TestRequest {
    TestRequest::with_uri(path)
        .method(Method::OPTIONS)
        .insert_header(("access-control-request-method", "POST"))
        .insert_header(("access-control-request-headers", "authorization"))
}

#[actix_web::test]
async fn scripts_of_named_origins_may_call_the_api() {
    let app = TestApp::with(|settings| settings.http.cors_origins = vec![CONSOLE.to_owned()]).await;
    let asked = from(&app, CONSOLE, preflight(TOKENS)).await;
    assert_eq!((asked.status.as_u16(), asked.bytes.len()), (204, 0));
    assert_eq!(asked.header("access-control-allow-origin"), Some(CONSOLE));
    assert!(asked.header("access-control-allow-methods").expect("methods").contains("POST"));
    assert!(asked.header("access-control-allow-headers").expect("headers").contains("authorization"));

    // Errors can be read too.
    let get = || TestRequest::get().uri(TOKENS);
    for (response, status) in [
        (from(&app, CONSOLE, get()).await, 200),
        (from(&app, CONSOLE, TestRequest::get().uri("/api/admin/nowhere")).await, 404),
    ] {
        assert_eq!(response.status, status);
        assert_eq!(response.header("access-control-allow-origin"), Some(CONSOLE));
        assert_eq!(response.header("access-control-allow-credentials"), None);
        assert!(response.header("access-control-expose-headers").expect("headers").contains("x-request-id"));
        assert_eq!(response.header("vary"), Some("origin"));
    }

    let other = from(&app, "https://console.example.org", get()).await;
    assert_eq!((other.status.as_u16(), other.header("access-control-allow-origin")), (200, None));
    assert_eq!(other.header("vary"), Some("origin"));
    let asked = from(&app, "https://console.example.org", preflight(TOKENS)).await;
    assert_eq!(asked.header("access-control-allow-origin"), None);
}

#[actix_web::test]
async fn by_default_no_other_origin_may_call_the_api() {
    let app = TestApp::new().await;
    for request in [preflight(TOKENS), TestRequest::get().uri(TOKENS)] {
        let response = from(&app, CONSOLE, request).await;
        assert_eq!(response.header("access-control-allow-origin"), None);
        assert_eq!(response.header("vary"), None);
    }
}

#[actix_web::test]
async fn a_preflight_request_never_verifies_a_token() {
    let app = TestApp::with(|settings| settings.http.cors_origins = vec!["*".to_owned()]).await;
    for path in ["/auth/verify", "/auth/verify/", "/auth/verify/original/path"] {
        let request = preflight(path).insert_header((ORIGIN, CONSOLE));
        let response = app.send(As::Unknown, request).await;
        assert_eq!(response.status, 401, "{path}");
        assert_eq!(response.header("access-control-allow-origin"), None);
    }
}

#[actix_web::test]
async fn a_url_that_is_too_long_is_refused() {
    let app = TestApp::new().await;
    for (length, status) in [(32 * 1024, 404), (32 * 1024 + 1, 414)] {
        let target = format!("/{}", "x".repeat(length - 1));
        let response = app.get(As::Admin, &target).await;
        assert_eq!(response.status, status, "{length}");
    }
    app.get(As::Admin, &format!("/{}", "x".repeat(33_000))).await.is(414, "UriTooLongError");
}

/// A body that asks about tokens of so many bytes.
fn question(bytes: usize) -> TestRequest {
    TestRequest::post()
        .uri("/edge/validate")
        .insert_header((CONTENT_TYPE, "application/json"))
        .set_payload(json!({"tokens": ["x".repeat(bytes)]}).to_string())
}

#[actix_web::test]
async fn large_requests_share_a_budget_and_small_ones_need_none() {
    const KIB: usize = 1024;
    let memory = Arc::new(MemoryBudget::new(100 * KIB));
    let app = TestApp::with(|settings| settings.http.memory = Arc::clone(&memory)).await;
    let status = async |bytes| app.send(As::Unknown, question(bytes)).await;
    assert_eq!(status(60 * KIB).await.status, 200, "within half of the budget");
    let refused = status(70 * KIB).await;
    refused.is(503, "ServiceUnavailableError");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(status(60 * KIB).await.status, 200, "what was held has been given back");

    let mut others = memory.reserve();
    assert!(others.hold(latchkey_http::FREE_BYTES + 50 * KIB, latchkey_http::Sender::Anyone));
    assert_eq!(status(20 * KIB).await.status, 503);
    assert_eq!(status(10 * KIB).await.status, 200, "small requests are served");
    // Clients with credentials have a share of their own.
    let body = json!({"tokenName": "web", "type": "client", "ignored": "x".repeat(30 * KIB)});
    assert_eq!(app.post(As::Admin, TOKENS, &body).await.status, 201);
    let body = json!({"tokenName": "web", "type": "client", "ignored": "x".repeat(60 * KIB)});
    app.post(As::Admin, TOKENS, &body).await.is(503, "ServiceUnavailableError");
}
