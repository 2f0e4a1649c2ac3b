//! `/api/admin/roles` and `/api/admin/permissions`

use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

mod create;
mod delete;
mod get;
mod list;
mod permissions;
mod update;

const ROLES: &str = "/api/admin/roles";

/// The path of a role.
fn path_of(id: i64) -> String {
    format!("{ROLES}/{id}")
}

/// Returns the body of a role of that kind with these permissions.
fn role(name: &str, kind: &str, permissions: &[&str]) -> Value {
    let permissions: Vec<_> = permissions.iter().map(|name| json!({"name": name})).collect();
    json!({"name": name, "type": kind, "permissions": permissions})
}

/// Creates a role; returns its id.
async fn made(app: &TestApp, role: &Value) -> i64 {
    let answer = app.post(As::Root, ROLES, role).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()["id"].as_i64().expect("an id")
}
