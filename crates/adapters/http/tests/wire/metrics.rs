//! The metrics.

use latchkey_testkit::app::{As, TestApp};
const METRICS: &str = "/internal-backstage/prometheus";

#[actix_web::test]
async fn a_monitor_sees_what_was_answered_and_no_secret() {
    let app = TestApp::new().await;
    app.use_cases.follow_changes().await.expect("followed");
    for who in [As::Client, As::Client, As::Unknown] {
        app.get(who, "/auth/verify").await;
    }
    let answer = app.get(As::Anonymous, METRICS).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4"));
    let text = String::from_utf8(answer.bytes.clone()).expect("text");
    for line in [
        "# TYPE latchkey_verifications_total counter",
        r#"latchkey_verifications_total{from="memory"} 1"#,
        r#"latchkey_verifications_total{from="store"} 2"#,
        r#"latchkey_verifications_total{from="stale"} 0"#,
        "latchkey_unknown_secrets_refused_total 0",
        r#"latchkey_index_entries{kind="token"} 1"#,
        r#"latchkey_index_entries{kind="unknown"} 1"#,
        "latchkey_feed_age_seconds 0",
        "latchkey_background_task_restarts_total 0",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} not in\n{text}");
    }
    let secret = app.secret_of(As::Client).expect("a secret");
    assert!(!text.contains(secret) && !text.contains("unknown.") && !text.contains("default"), "{text}");
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
    let answer = app.get(As::Anonymous, METRICS).await;
    let text = String::from_utf8(answer.bytes.clone()).expect("text");
    assert!(text.contains("\nlatchkey_background_task_restarts_total 1\n"), "{text}");
}
