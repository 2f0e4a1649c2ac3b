//! `/api/admin/api-tokens`; `rotation.rs` tests rotation, `token_changes.rs` changes, `token_lists.rs` the filters of lists.

use latchkey_testkit::app::{As, Response, TestApp};
use serde_json::{Value, json};

mod by_name;
mod create;
mod delete;
mod list;

pub(crate) const ALL: &str = "/api/admin/api-tokens";

/// Returns the names of the tokens in a response.
fn names(answer: &Response) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.json());
    let tokens = answer.json()["tokens"].as_array().expect("tokens").clone();
    tokens.iter().map(|token| token["tokenName"].as_str().expect("a name").to_owned()).collect()
}

/// Creates a token of that name and type for all projects; returns its secret.
pub(crate) async fn made(app: &TestApp, name: &str, kind: &str) -> String {
    let answer = app.post(As::Root, ALL, &json!({"tokenName": name, "type": kind})).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()["secret"].as_str().expect("text").to_owned()
}

/// Returns the tokens of that name, as an admin sees them.
pub(crate) async fn named(app: &TestApp, name: &str) -> Vec<Value> {
    let answer = app.get(As::Root, &format!("{ALL}/{name}")).await;
    answer.json()["tokens"].as_array().expect("tokens").clone()
}
