//! `/api/admin/projects/{projectId}/access` and the roles of its members

use latchkey_testkit::app::{As, TestApp};
use serde_json::Value;

mod add;
mod groups;
mod list;
mod remove;
mod replace;
mod set;

const ACCESS: &str = "/api/admin/projects/default/access";

/// The path of a user's roles.
fn path_of(user: i64) -> String {
    format!("/api/admin/projects/default/users/{user}/roles")
}

/// The roles that a user holds in the project, or null.
async fn held(app: &TestApp, user: i64) -> Value {
    let access = app.get(As::Root, ACCESS).await.json();
    let users = access["users"].as_array().expect("users");
    users.iter().find(|one| one["id"] == user).map(|one| one["roles"].clone()).unwrap_or_default()
}

/// The roles that a group holds in the project, or null.
async fn held_by_group(app: &TestApp, group: i64) -> Value {
    let access = app.get(As::Root, ACCESS).await.json();
    let groups = access["groups"].as_array().expect("groups");
    groups.iter().find(|one| one["id"] == group).map(|one| one["roles"].clone()).unwrap_or_default()
}

/// Creates a project role with these permissions; returns its id.
async fn role(app: &TestApp, name: &str, permissions: &[&str]) -> i64 {
    let permissions: Vec<_> = permissions.iter().map(|name| serde_json::json!({"name": name})).collect();
    let body = serde_json::json!({"name": name, "type": "custom", "permissions": permissions});
    app.post(As::Root, "/api/admin/roles", &body).await.json()["id"].as_i64().expect("an id")
}
