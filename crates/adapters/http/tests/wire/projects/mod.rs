//! `/api/admin/projects`

use latchkey_testkit::app::{As, TestApp};
use serde_json::Value;

mod archive;
mod create;
mod delete;
mod get;
mod list;
mod settings;
mod update;

const PROJECTS: &str = "/api/admin/projects";
const DEFAULT: &str = "/api/admin/projects/default";

/// Creates a project as a client.
async fn made(app: &TestApp, who: As, body: &Value) -> Value {
    let answer = app.post(who, PROJECTS, body).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()
}

/// Returns the ids of the projects that a client sees.
async fn seen(app: &TestApp, who: As, query: &str) -> Vec<Value> {
    let body = app.get(who, &format!("{PROJECTS}{query}")).await.json();
    body["projects"].as_array().expect("projects").iter().map(|project| project["id"].clone()).collect()
}
