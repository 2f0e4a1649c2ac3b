//! `/api/admin/service-account`

use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

mod create;
mod delete;
mod list;
mod tokens;
mod update;

const ACCOUNTS: &str = "/api/admin/service-account";
const UNKNOWN_ID: i64 = 9_999;

fn path_of(id: i64) -> String {
    format!("{ACCOUNTS}/{id}")
}

/// Creates a service account of that name and root role; returns its id.
async fn made(app: &TestApp, username: &str, root_role: Value) -> i64 {
    let answer = app.post(As::Root, ACCOUNTS, &json!({"username": username, "rootRole": root_role})).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()["id"].as_i64().expect("an id")
}

/// Creates a token for that account; returns its id and secret.
async fn token_of(app: &TestApp, id: i64) -> (i64, String) {
    let body = json!({"description": "deploy", "expiresAt": "2030-01-01T00:00:00Z"});
    let answer = app.post(As::Root, &format!("{}/token", path_of(id)), &body).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    let token = answer.json();
    (token["id"].as_i64().expect("an id"), token["secret"].as_str().expect("text").to_owned())
}
