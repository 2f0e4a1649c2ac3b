//! `/api/admin/projects/{projectId}/environments`

use latchkey_testkit::app::{As, TestApp};
use serde_json::Value;

mod add;
mod remove;

const ENVIRONMENTS: &str = "/api/admin/projects/default/environments";

/// Returns the environments of the project.
async fn held(app: &TestApp) -> Vec<Value> {
    let body = app.get(As::Root, "/api/admin/projects/default").await.json();
    let environments = body["environments"].as_array().expect("environments");
    environments.iter().map(|one| one["environment"].clone()).collect()
}
