//! A store that fails: a defect is a 500 and a line at ERROR with the id of the response; an unreachable store is a 503 and
//! a line at WARN.

use std::sync::Arc;

use actix_web::test::TestRequest;
use latchkey_ports::{MockTokenRepository, StoreError};
use latchkey_testkit::app::{As, Response, TOKENS, TestApp};
use serde_json::Value;
use tracing::Level;

use crate::log::Log;

/// Sends a request whose token is looked up in a store that fails; returns the response and the log.
async fn answer_of(fail: fn() -> StoreError) -> (Response, Log) {
    let mut tokens = MockTokenRepository::new();
    tokens.expect_find_token_by_digest().returning(move |_| Err(fail()));
    let app = TestApp::with(|settings| settings.tokens = Some(Arc::new(tokens))).await;
    let (log, _logging) = Log::start(Level::INFO);
    let answer = app.send(As::Admin, TestRequest::get().uri(TOKENS)).await;
    (answer, log)
}

#[actix_web::test]
async fn a_fault_of_the_store_is_a_500_whose_id_is_logged_at_error() {
    let (answer, log) = answer_of(|| StoreError::Fault("column \"name\" does not exist".into())).await;
    answer.is(500, "UnknownError");
    assert_eq!(answer.header("retry-after"), None);
    let body = answer.json();
    assert!(!body.to_string().contains("column"), "{body}");
    let lines = log.lines("ERROR");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["fields"]["error_id"], body["id"], "{lines:?}");
    assert!(lines[0]["fields"]["error"].to_string().contains("column"), "{lines:?}");
}

#[actix_web::test]
async fn an_unreachable_store_is_a_503_with_retry_after_and_a_warning() {
    let (answer, log) = answer_of(|| StoreError::Unavailable("the connection was refused".into())).await;
    answer.is(503, "ServiceUnavailableError");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(log.lines("ERROR"), Vec::<Value>::new());
    let lines = log.lines("WARN");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["fields"]["error_id"], answer.json()["id"], "{lines:?}");
}
