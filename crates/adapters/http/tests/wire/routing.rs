//! Paths and methods.

use actix_web::http::Method;

use crate::app::{As, TOKENS, TestApp};

#[actix_web::test]
async fn paths_are_exact_but_for_one_slash_at_the_end() {
    let app = TestApp::new().await;
    assert_eq!(app.get(As::Admin, &format!("{TOKENS}/")).await.status, 200);
    for path in [
        &format!("{TOKENS}//"),
        "/api/admin/projects//api-tokens",
        "//api/admin/projects/default/api-tokens",
        "/API/admin/projects/default/api-tokens",
        "/api/admin/projects/default/API-TOKENS",
        "/api/nosuch",
        "/nosuch",
        "/",
    ] {
        app.get(As::Admin, path).await.is(404, "NotFoundError");
    }
}

#[actix_web::test]
async fn only_those_who_are_known_are_told_what_there_is_under_api() {
    let app = TestApp::new().await;
    app.get(As::Nobody, "/api/nosuch").await.is(401, "AuthenticationRequired");
    app.method(As::Nobody, Method::PUT, TOKENS).await.is(401, "AuthenticationRequired");
    app.method(As::Nobody, Method::OPTIONS, TOKENS).await.is(401, "AuthenticationRequired");
    app.get(As::Nobody, "/nosuch").await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn other_methods_are_refused_with_those_that_there_are() {
    let app = TestApp::new().await;
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = app.method(As::Admin, method, TOKENS).await;
        answer.is(405, "MethodNotAllowedError");
        assert_eq!(answer.header("allow"), Some("GET,HEAD,POST"));
    }
    for (path, allow) in [("x", "GET,HEAD,DELETE"), ("x/rotate", "POST")] {
        let answer = app.method(As::Admin, Method::PUT, &format!("{TOKENS}/{path}")).await;
        answer.is(405, "MethodNotAllowedError");
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
    }
    let answer = app.method(As::Admin, Method::OPTIONS, TOKENS).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, &b"GET,HEAD,POST"[..]));
    assert_eq!(app.method(As::Admin, Method::HEAD, TOKENS).await.status, 200);
}

#[actix_web::test]
async fn signs_of_life_need_no_credentials() {
    let app = TestApp::new().await;
    for path in ["/health", "/ready", "/health/"] {
        let answer = app.get(As::Nobody, path).await;
        assert_eq!((answer.status.as_u16(), answer.json()["health"].as_str()), (200, Some("GOOD")), "{path}");
    }
    app.method(As::Nobody, Method::POST, "/health").await.is(405, "MethodNotAllowedError");
}
