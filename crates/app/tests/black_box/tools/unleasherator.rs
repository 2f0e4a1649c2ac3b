//! unleasherator (nais), which creates tokens for applications in Kubernetes and keeps them in Secrets.

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::percent_encoded,
};
use serde_json::{Value, json};

use super::{Tool, assert_has};

const TOKENS: &str = "/api/admin/api-tokens";

fn path_of(name_or_secret: &str) -> String {
    format!("{TOKENS}/{}", percent_encoded(name_or_secret))
}

/// Returns the major number of the version by which it chooses the form of its requests.
fn major(statistics: &Value) -> u32 {
    let enterprise = statistics["versionEnterprise"].as_str().filter(|version| !version.is_empty());
    let version = enterprise.or(statistics["versionOSS"].as_str()).expect("a version");
    let parts: Vec<u32> = version.split('.').map(|part| part.parse().expect("a number")).collect();
    assert_eq!(parts.len(), 3, "{version}");
    parts[0]
}

fn reconcile(store: Store) {
    let tool = Tool::new("unleasherator", store);
    // The first call of all: without it, no instance becomes ready.
    let version = major(&tool.get("/api/admin/instance-admin/statistics"));
    assert!(version >= 7, "{version}");
    let name = "web shop-unleasherator/1";
    assert_eq!(tool.get(&path_of(name)), json!({"tokens": []}));

    // From version 7 on, both names are sent.
    let body = json!({
        "tokenName": name, "username": name, "type": "CLIENT", "environment": "development", "projects": ["default"],
    });
    let created = tool.post(TOKENS, &body, 201);
    assert_has(&created, &["secret", "tokenName", "type", "environment", "projects", "createdAt"]);
    let listed = tool.get(&path_of(name));
    let token = &listed["tokens"][0];
    assert_eq!(token["type"].as_str().map(str::to_uppercase).as_deref(), Some("CLIENT"));
    for member in ["environment", "projects"] {
        assert_eq!(token[member], body[member], "{member}");
    }
    // Every hour, the Secret is written again from what is listed.
    assert_eq!(token["secret"], created["secret"]);

    // A changed resource gets a second token of the name; the newest counts, and the old one goes.
    let changed = json!({
        "tokenName": name, "username": name, "type": "FRONTEND", "environment": "production", "projects": ["*"],
    });
    tool.post(TOKENS, &changed, 201);
    let both = tool.get(&path_of(name))["tokens"].as_array().map(Vec::len);
    assert_eq!(both, Some(2));
    let old = path_of(created["secret"].as_str().expect("a secret"));
    tool.delete(&old);
    tool.delete(&old);
    let left = tool.get(&path_of(name));
    assert_eq!((&left["tokens"][0]["type"], &left["tokens"][1]), (&json!("frontend"), &Value::Null));
}

#[test]
fn a_token_is_reconciled_on_sqlite() {
    reconcile(Store::Sqlite);
}

#[test]
fn a_token_is_reconciled_on_postgres() {
    reconcile(Store::Postgres);
}

#[test]
fn for_version_6_the_old_name_is_sent_alone() {
    let tool = Tool::new("unleasherator", Store::Sqlite);
    let body = json!({
        "username": "app-1", "type": "FRONTEND", "environment": "production", "projects": ["default"],
    });
    assert_eq!(tool.post(TOKENS, &body, 201)["tokenName"], "app-1");
}

#[test]
fn two_names_that_differ_are_refused_and_nothing_is_created() {
    let tool = Tool::new("unleasherator", Store::Sqlite);
    let body = json!({"tokenName": "a", "username": "b", "type": "CLIENT", "projects": ["default"]});
    tool.post(TOKENS, &body, 400);
    for name in ["a", "b"] {
        assert_eq!(tool.get(&path_of(name)), json!({"tokens": []}));
    }
}

/// Instances that it runs itself get their admin token from the environment, and are probed without credentials.
#[test]
fn an_instance_of_its_own_is_ready_with_the_token_that_it_was_given() {
    let secret = "*:*.unleasherator-admin-0123456789abcdef";
    let env = TestEnv::on(Store::Sqlite).with("INIT_ADMIN_API_TOKENS", secret);
    let server = env.serve();
    assert_eq!(server.send(&Request::get("/health")).json(), json!({"health": "GOOD"}));
    let metrics = server.send(&Request::get("/internal-backstage/prometheus"));
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(server.status("/api/admin/instance-admin/statistics", secret), 200);
}
