//! `POST /api/client/metrics/bulk` and `POST /edge/metrics`

use std::time::Duration;

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::{Value, json};

use super::Secrets;
use crate::expectations::faults;

const PATHS: [&str; 2] = ["/api/client/metrics/bulk", "/edge/metrics"];

/// Writes the uses that were recorded, and returns `seenAt` of the token with this secret.
async fn seen_at(app: &TestApp, secret: &str) -> Value {
    app.use_cases.flush_usage().await.expect("written");
    app.get(As::Root, &format!("{TOKENS}/{secret}")).await.json()["seenAt"].clone()
}

#[actix_web::test]
async fn the_tokens_that_are_reported_were_seen() {
    for path in PATHS {
        let app = TestApp::without_quota().await;
        let secrets = Secrets::of(&app).await;
        assert_eq!(seen_at(&app, &secrets.good).await, Value::Null);
        app.clock.advance(Duration::from_secs(60));
        let mut reported: Vec<&str> = secrets.bad_ones().into();
        reported.extend([secrets.good.as_str(), secrets.personal.as_str(), "no token at all", ""]);
        let body = json!({"applications": [{"appName": "x"}], "metrics": [], "seenTokens": reported});
        let answer = app.post(As::Client, path, &body).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (202, 0), "{path}");
        assert_eq!(seen_at(&app, &secrets.good).await, "2023-04-19T08:16:14.000Z", "{path}");
    }
}

#[actix_web::test]
async fn a_report_without_tokens_is_accepted() {
    let app = TestApp::new().await;
    for path in PATHS {
        for body in [json!({}), json!({"applications": [], "metrics": []}), json!({"seenTokens": null})] {
            assert_eq!(app.post(As::Client, path, &body).await.status, 202, "{path}: {body}");
        }
    }
}

#[actix_web::test]
async fn what_is_no_list_of_tokens_is_refused() {
    let app = TestApp::new().await;
    for path in PATHS {
        for tokens in [json!("x"), json!([1]), json!([null]), json!(vec!["x"; 10_001])] {
            let answer = app.post(As::Client, path, &json!({"seenTokens": tokens})).await;
            assert_eq!(faults(&answer), ["/body/seenTokens"], "{path}: {tokens}");
        }
    }
}

#[actix_web::test]
async fn only_authenticated_clients_may_and_no_frontend_token() {
    let app = TestApp::new().await;
    for path in PATHS {
        for (who, status) in [
            (As::Anonymous, 401),
            (As::Unknown, 401),
            (As::Expired, 401),
            (As::Frontend, 403),
            (As::Client, 202),
            (As::Admin, 202),
            (As::Viewer, 202),
        ] {
            let request = TestRequest::post().uri(path).set_json(json!({}));
            assert_eq!(app.send(who, request).await.status.as_u16(), status, "{path} as {who:?}");
        }
        // The body is not looked at before that.
        let broken = TestRequest::post().uri(path).set_payload("{");
        assert_eq!(app.send(As::Frontend, broken).await.status.as_u16(), 403, "{path}");
    }
}
