//! A store that fails: a defect is a 500 and a line at ERROR with the id of the response; an unreachable store is a 503 and
//! a line at WARN.

use std::{
    io,
    sync::{Arc, Mutex},
};

use actix_web::test::TestRequest;
use latchkey_ports::{MockTokenRepository, StoreError};
use latchkey_testkit::app::{As, Response, TOKENS, TestApp};
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

/// The log of one test.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    /// Returns the lines of this level.
    fn lines(&self, level: &str) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().expect("no panic").clone()).expect("text");
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        lines.filter(|line: &Value| line["level"] == level).collect()
    }
}

/// Sends a request whose token is looked up in a store that fails; returns the response and the log.
async fn answer_of(fail: fn() -> StoreError) -> (Response, Log) {
    let mut tokens = MockTokenRepository::new();
    tokens.expect_find_token_by_digest().returning(move |_| Err(fail()));
    let app = TestApp::with(|settings| settings.tokens = Some(Arc::new(tokens))).await;
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(log.clone()).finish();
    let _logged = tracing::subscriber::set_default(subscriber);
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
