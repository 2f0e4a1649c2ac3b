//! The access log: one line for each request, without its path, at the level of its route.

use actix_web::{http::header, test::TestRequest};
use latchkey_testkit::app::{As, PASSWORD, TOKENS, TestApp};
use serde_json::{Value, json};
use tracing::Level;

use crate::log::Log;

/// Returns the lines of the access log at this level.
fn access_lines(log: &Log, level: &str) -> Vec<Value> {
    let lines = log.lines(level).into_iter();
    lines.filter(|line| line["target"] == "latchkey_http::access").collect()
}

#[track_caller]
fn only(lines: Vec<Value>) -> Value {
    let [line] = <[Value; 1]>::try_from(lines).expect("one line");
    line
}

#[actix_web::test]
async fn a_line_says_what_was_asked_by_whom_and_what_became_of_it() {
    let app = TestApp::new().await;
    let (log, _logging) = Log::start(Level::INFO);
    let request = TestRequest::get()
        .uri(&format!("{TOKENS}?limit=1"))
        .peer_addr("192.0.2.7:4242".parse().expect("an address"))
        .insert_header(("x-request-id", "abc-1"));
    assert_eq!(app.send(As::Admin, request).await.status, 200);
    let line = only(access_lines(&log, "INFO"));
    let fields = &line["fields"];
    assert_eq!(fields["route"], "/api/admin/projects/{projectId}/api-tokens");
    assert_eq!((&fields["status"], &fields["client"]), (&json!(200), &json!("192.0.2.7")));
    assert_eq!(fields["duration_ms"], 0.0, "the clock of the test stands still");
    assert!(fields["principal"].as_str().expect("a principal").starts_with("token:"), "{line}");
    assert!(fields["error_id"].is_null(), "{line}");
    assert_eq!((&line["span"]["request_id"], &line["span"]["method"]), (&json!("abc-1"), &json!("GET")));
}

#[actix_web::test]
async fn a_refused_request_has_a_line_with_the_id_of_its_error() {
    let app = TestApp::new().await;
    for (who, path, status, route) in [
        (As::Unknown, TOKENS, 401, "/api/admin/projects/{projectId}/api-tokens"),
        (
            As::Admin,
            "/api/admin/projects/default/api-tokens?limit=x",
            400,
            "/api/admin/projects/{projectId}/api-tokens",
        ),
        (
            As::Admin,
            "/api/admin/projects/unknown/api-tokens",
            404,
            "/api/admin/projects/{projectId}/api-tokens",
        ),
        (As::Anonymous, "/nowhere", 404, "unmatched"),
    ] {
        let (log, _logging) = Log::start(Level::INFO);
        let answer = app.get(who, path).await;
        let line = only(access_lines(&log, "INFO"));
        assert_eq!((answer.status.as_u16(), &line["fields"]["status"]), (status, &json!(status)), "{path}");
        assert_eq!(line["fields"]["error_id"], answer.json()["id"], "{path}");
        assert_eq!(line["fields"]["route"], route, "{path}");
    }
}

/// The patterns are as many as there are pages, whatever a client asks for.
#[actix_web::test]
async fn a_page_has_the_pattern_of_its_path() {
    let app = TestApp::new().await;
    for (path, status, route) in [
        ("/console", 200, "/console"),
        ("/console/projects/default/tokens", 200, "/console/projects/{projectId}/tokens"),
        ("/console/projects/default/tokens/secret", 404, "/console/projects/{projectId}/tokens/{token}"),
        ("/console/people/users/1/delete", 200, "/console/people/users/{id}/delete"),
        ("/console/assets/secret", 404, "/console/assets/{file}"),
        ("/console/secret/of/a/client", 404, "/console/{rest}"),
    ] {
        let (log, _logging) = Log::start(Level::INFO);
        assert_eq!(app.get(As::Root, path).await.status, status, "{path}");
        let line = only(access_lines(&log, "INFO"));
        assert_eq!(line["fields"]["route"], route, "{path}");
    }
}

#[actix_web::test]
async fn a_user_is_named_by_id() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Viewer").await;
    let id = app.user_of(As::Viewer).await.id;
    let (log, _logging) = Log::start(Level::INFO);
    app.send_with(&cookie, TestRequest::get().uri("/api/admin/user")).await;
    app.get(As::Viewer, "/api/admin/user").await;
    let lines = access_lines(&log, "INFO");
    let principals: Vec<_> = lines.iter().map(|line| line["fields"]["principal"].as_str()).collect();
    let [Some(by_session), Some(by_token)] = principals[..] else { panic!("{lines:?}") };
    assert_eq!(by_session, format!("user:{id}"));
    assert!(by_token.starts_with(&format!("user:{id},personal-token:")), "{by_token}");
}

#[actix_web::test]
async fn what_gateways_and_monitors_ask_is_logged_at_debug() {
    let app = TestApp::new().await;
    let (log, _logging) = Log::start(Level::DEBUG);
    for path in [
        "/auth/verify",
        "/auth/verify/original",
        "/health",
        "/ready",
        "/metrics",
        "/internal-backstage/prometheus",
    ] {
        app.get(As::Client, path).await;
    }
    app.get(As::Unknown, "/auth/verify").await.is(401, "UnauthorizedError");
    app.post(As::Anonymous, "/edge/validate", &json!({"tokens": []})).await;
    let introspect = TestRequest::post().uri("/oauth2/introspect").set_form([("token", "x")]);
    assert_eq!(app.send(As::Client, introspect).await.status, 200);
    assert_eq!(access_lines(&log, "INFO"), Vec::<Value>::new());
    assert_eq!(access_lines(&log, "DEBUG").len(), 9);
}

#[actix_web::test]
async fn without_the_setting_every_line_is_at_debug() {
    let app = TestApp::with(|settings| settings.http.access_log = false).await;
    let (log, _logging) = Log::start(Level::DEBUG);
    app.get(As::Admin, TOKENS).await;
    assert_eq!(access_lines(&log, "INFO"), Vec::<Value>::new());
    only(access_lines(&log, "DEBUG"));
}

/// A path may hold a secret: `DELETE …/api-tokens/{secret}`.
#[actix_web::test]
async fn no_line_has_a_secret_or_a_path() {
    let app = TestApp::new().await;
    let secret = app.secret_of(As::Client).expect("a secret").to_owned();
    let (log, _logging) = Log::start(Level::TRACE);
    app.delete(As::Admin, &format!("/api/admin/projects/elsewhere/api-tokens/{secret}")).await;
    app.get(As::Admin, &format!("/nowhere/{secret}?token={secret}")).await;
    let by_header =
        TestRequest::get().uri("/auth/verify").insert_header((header::AUTHORIZATION, secret.clone()));
    app.send_with("latchkey-session=hush", by_header).await;
    app.post(As::Anonymous, "/auth/simple/login", &json!({"username": "Viewer", "password": PASSWORD})).await;
    let text = log.text();
    assert!(text.contains("latchkey_http::access"), "{text}");
    for hidden in [&*secret, "hush", PASSWORD, "elsewhere", "nowhere"] {
        assert!(!text.contains(hidden), "{hidden} in\n{text}");
    }
}
