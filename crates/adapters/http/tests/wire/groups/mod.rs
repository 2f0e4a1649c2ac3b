//! `/api/admin/groups`

use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

mod create;
mod delete;
mod get;
mod update;

const GROUPS: &str = "/api/admin/groups";

/// The path of a group.
fn path_of(id: i64) -> String {
    format!("{GROUPS}/{id}")
}

/// Returns the references to users in a body.
fn members(users: &[i64]) -> Value {
    users.iter().map(|id| json!({"user": {"id": id}})).collect()
}

/// Creates a group of these users; returns its id.
pub(crate) async fn group(app: &TestApp, name: &str, users: &[i64]) -> i64 {
    let answer = app.post(As::Root, GROUPS, &json!({"name": name, "users": members(users)})).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()["id"].as_i64().expect("an id")
}
