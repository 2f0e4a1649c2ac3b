//! The metrics.

use std::collections::BTreeSet;

use actix_web::{http::Method, test::TestRequest};
use latchkey_testkit::app::{As, PASSWORD, TOKENS, TestApp};
use serde_json::json;

const METRICS: &str = "/metrics";

async fn metrics(app: &TestApp) -> String {
    app.get(As::Anonymous, METRICS).await.text()
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|one| one == line), "{line} not in\n{text}");
}

#[actix_web::test]
async fn a_monitor_sees_what_was_verified() {
    let app = TestApp::new().await;
    app.use_cases.follow_changes().await.expect("followed");
    for who in [As::Client, As::Client, As::Unknown, As::Unknown] {
        app.get(who, "/auth/verify").await;
    }
    let malformed = "x".repeat(10_000);
    app.send_by(&malformed, TestRequest::get().uri("/auth/verify")).await;
    let answer = app.get(As::Anonymous, METRICS).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let text = answer.text();
    for line in [
        "# TYPE latchkey_verifications_total counter",
        r#"latchkey_verifications_total{result="valid",source="memory"} 1"#,
        r#"latchkey_verifications_total{result="invalid",source="memory"} 1"#,
        r#"latchkey_verifications_total{result="valid",source="store"} 1"#,
        r#"latchkey_verifications_total{result="invalid",source="store"} 1"#,
        r#"latchkey_verifications_total{result="valid",source="stale"} 0"#,
        r#"latchkey_verifications_total{result="invalid",source="syntax"} 1"#,
        "latchkey_unknown_secrets_refused_total 0",
        r#"latchkey_cache_entries{kind="token"} 1"#,
        r#"latchkey_cache_entries{kind="unknown"} 1"#,
        r#"latchkey_cache_evictions_total{kind="token"} 0"#,
        "latchkey_cache_capacity_entries 100",
        "latchkey_feed_age_seconds 0",
        r#"latchkey_http_requests_total{route="/auth/verify",method="GET",status="200"} 2"#,
        r#"latchkey_http_requests_total{route="/auth/verify",method="GET",status="401"} 3"#,
        r#"latchkey_http_request_seconds_count{route="/auth/verify",method="GET"} 5"#,
        r#"latchkey_build_info{version="test"} 1"#,
    ] {
        has(&text, line);
    }
}

#[actix_web::test]
async fn the_path_of_unleash_serves_the_same() {
    let app = TestApp::new().await;
    let text = app.get(As::Anonymous, "/internal-backstage/prometheus").await.text();
    has(&text, "# TYPE latchkey_verifications_total counter");
    assert_eq!(
        app.get(As::Anonymous, METRICS).await.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
}

#[actix_web::test]
async fn requests_are_counted_by_the_pattern_of_their_route() {
    let app = TestApp::new().await;
    for project in ["default", "elsewhere", "unknown"] {
        app.get(As::Admin, &format!("/api/admin/projects/{project}/api-tokens")).await;
    }
    app.method(As::Admin, Method::PUT, TOKENS).await;
    app.get(As::Client, "/auth/verify/original/path").await;
    app.get(As::Anonymous, "/docs/openapi/index.html").await;
    for path in ["/nowhere", "/api/admin/nothing", "/api/admin/projects/default/nothing", "/unknown/secret"] {
        app.get(As::Admin, path).await;
    }
    for method in ["BREW", "STEEP"] {
        app.method(As::Anonymous, method.parse().expect("a token"), "/health").await;
    }
    let text = metrics(&app).await;
    let tokens = r#"route="/api/admin/projects/{projectId}/api-tokens""#;
    for line in [
        &format!(r#"latchkey_http_requests_total{{{tokens},method="GET",status="200"}} 2"#),
        &format!(r#"latchkey_http_requests_total{{{tokens},method="GET",status="404"}} 1"#),
        &format!(r#"latchkey_http_requests_total{{{tokens},method="PUT",status="405"}} 1"#),
        r#"latchkey_http_requests_total{route="/auth/verify/{original}",method="GET",status="200"} 1"#,
        r#"latchkey_http_requests_total{route="/docs/openapi/{file}",method="GET",status="200"} 1"#,
        r#"latchkey_http_requests_total{route="unmatched",method="GET",status="404"} 4"#,
        r#"latchkey_http_requests_total{route="/health",method="OTHER",status="405"} 2"#,
    ] {
        has(&text, line);
    }
}

/// Every value of every label is a word of the code: whatever users and clients make up stays out.
#[actix_web::test]
async fn no_label_carries_what_a_user_or_client_made_up() {
    let app = TestApp::new().await;
    app.project("made-up").await;
    let project = "/api/admin/projects/made-up/api-tokens";
    let body = json!({"tokenName": "made-up", "type": "client", "environment": "development"});
    let secret =
        app.post(As::Admin, project, &body).await.json()["secret"].as_str().expect("shown").to_owned();
    app.send_by(&secret, TestRequest::get().uri("/auth/verify?project=made-up")).await;
    app.delete(As::Admin, &format!("{project}/{secret}")).await;
    app.post(As::Anonymous, "/auth/simple/login", &json!({"username": "made-up", "password": PASSWORD}))
        .await;
    app.method(As::Admin, "MADE-UP".parse().expect("a token"), "/made-up").await;
    app.get(As::Owner, "/api/admin/projects/default").await;
    let text = metrics(&app).await;
    let routes: BTreeSet<_> =
        text.split("route=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(routes.len() >= 5, "{routes:?}");
    let document = app.get(As::Anonymous, "/docs/openapi.json").await.json();
    let paths = document["paths"].as_object().expect("paths");
    let unknown: Vec<_> =
        routes.iter().filter(|route| **route != "unmatched" && !paths.contains_key(**route)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let values = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.split('"').skip(1).step_by(2));
    for value in values.filter(|value| !paths.contains_key(*value)) {
        for hidden in ["made-up", "MADE-UP", "default", "development", "owner", "@", &secret] {
            assert!(!value.contains(hidden), "{hidden} in {value}");
        }
    }
}

#[actix_web::test]
async fn the_process_is_not_ready_while_a_background_task_is_down_and_restarts_are_counted() {
    let app = TestApp::new().await;
    assert_eq!(app.get(As::Anonymous, "/ready").await.status, 200);
    app.use_cases.task_health.failed("sweep");
    let answer = app.get(As::Anonymous, "/ready").await;
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some(), "a client may try again");
    assert_eq!(app.get(As::Anonymous, "/health").await.status, 200);
    app.use_cases.task_health.restarted("sweep");
    assert_eq!(app.get(As::Anonymous, "/ready").await.status, 200);
    has(&metrics(&app).await, r#"latchkey_background_task_restarts_total{task="sweep"} 1"#);
}
