//! The audit trail

use latchkey_testkit::app::{As, TestApp};
use serde_json::Value;

mod export;
mod list;
mod of_project;
mod search;
mod stream;

/// Returns the types of the events that a client sees, newest first.
async fn types(app: &TestApp, who: As, path: &str) -> Vec<Value> {
    let answer = app.get(who, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.json());
    let body = answer.json();
    body["events"].as_array().expect("events").iter().map(|event| event["type"].clone()).collect()
}
