//! Terraform's provider (3.4.3): tokens, projects and environments. Its Go client demands exact statuses, and ends with an error
//! where it reads null as text.

use latchkey_testkit::{env::Store, server::percent_encoded};
use serde_json::{Value, json};

use super::{Tool, assert_has, assert_lacks, entry};

pub(super) const USER_AGENT: &str = "Terraform-Provider-Unleash/3.4.3";
const TOKENS: &str = "/api/admin/api-tokens";
const PROJECTS: &str = "/api/admin/projects";
const ENVIRONMENTS: &str = "/api/admin/environments";

fn tool() -> Tool {
    Tool::new(USER_AGENT, Store::Sqlite)
}

/// Reads a token as the provider does: from the list of all, by its secret.
fn read_token(tool: &Tool, created: &Value) -> Value {
    entry(&tool.get(TOKENS)["tokens"], "secret", &created["secret"]).clone()
}

#[test]
fn resource_api_token() {
    let tool = tool();
    for (kind, listed) in [("client", "client"), ("frontend", "frontend"), ("backend", "client")] {
        let body = json!({
            "type": kind, "tokenName": format!("terraform {kind}"), "environment": "development",
            "projects": ["default"], "expiresAt": "2099-01-01T00:00:00Z",
        });
        let created = tool.post(TOKENS, &body, 201);
        assert_has(&created, &["secret", "tokenName", "type", "projects", "createdAt"]);
        // What the plan says has to be in the response, or Terraform calls it inconsistent.
        for member in ["tokenName", "type", "environment", "projects"] {
            assert_eq!(created[member], body[member], "{member}");
        }
        let read = read_token(&tool, &created);
        assert_has(&read, &["secret", "tokenName", "type", "projects", "createdAt"]);
        assert_eq!((&read["type"], &read["secure"]), (&json!(listed), &json!(false)));

        let path = format!("{TOKENS}/{}", percent_encoded(created["secret"].as_str().expect("a secret")));
        tool.put(&path, &json!({"expiresAt": "2098-01-01T00:00:00Z"}));
        assert_eq!(read_token(&tool, &created)["expiresAt"], "2098-01-01T00:00:00.000Z");
        tool.delete(&path);
    }
    assert_eq!(tool.get(TOKENS)["tokens"].as_array().map(Vec::len), Some(1), "that of Terraform");
}

#[test]
fn resource_project() {
    let tool = tool();
    let plain = json!({"id": "plain", "name": "Plain", "environments": []});
    let created = tool.post(PROJECTS, &plain, 201);
    assert_has(&created, &["id", "name"]);
    assert_lacks(&created, &["description"]);
    let settings = json!({"mode": "protected", "linkTemplates": []});
    tool.put(&format!("{PROJECTS}/plain/settings"), &settings);
    tool.put(&format!("{PROJECTS}/plain"), &json!({"name": "Renamed"}));
    let list = tool.get(PROJECTS);
    assert_eq!(list["version"], 1);
    let read = entry(&list["projects"], "id", &json!("plain"));
    assert_eq!((&read["name"], &read["mode"]), (&json!("Renamed"), &json!("protected")));
    assert_lacks(read, &["description"]);
    let environments = tool.get(&format!("{ENVIRONMENTS}/project/plain"));
    let is_linked = |one: &Value| one["visible"] == true;
    assert!(!environments["environments"].as_array().expect("a list").iter().any(is_linked), "[] means none");

    let described =
        json!({"id": "described", "name": "Described", "description": "Sells.", "environments": []});
    assert_eq!(tool.post(PROJECTS, &described, 201)["description"], "Sells.");
    let changed = json!({"name": "Described", "description": "Buys."});
    tool.put(&format!("{PROJECTS}/described"), &changed);
    let list = tool.get(PROJECTS);
    assert_eq!(entry(&list["projects"], "id", &json!("described"))["description"], "Buys.");
    for project in ["plain", "described"] {
        tool.delete(&format!("{PROJECTS}/{project}"));
    }
}

#[test]
fn resource_project_environment() {
    let tool = tool();
    tool.post(PROJECTS, &json!({"id": "shop", "name": "Shop", "environments": []}), 201);
    let path = format!("{PROJECTS}/shop/environments");
    tool.call("POST", &path, Some(&json!({"environment": "production"})), 200);
    tool.call("POST", &path, Some(&json!({"environment": "production"})), 409);
    let list = tool.get(&format!("{ENVIRONMENTS}/project/shop"));
    assert_eq!(list["version"], 1);
    let read = entry(&list["environments"], "name", &json!("production"));
    assert_has(
        read,
        &["name", "type", "enabled", "protected", "sortOrder", "projectApiTokenCount", "visible"],
    );
    assert_eq!(read["visible"], true);
    // Change requests are not supported, and the provider expects that.
    tool.call("GET", &format!("{path}/production/change-requests/config"), None, 404);
    tool.delete(&format!("{path}/production"));
    let list = tool.get(&format!("{ENVIRONMENTS}/project/shop"));
    assert_eq!(entry(&list["environments"], "name", &json!("production"))["visible"], false);
}

#[test]
fn resource_environment() {
    let tool = tool();
    let members = ["name", "type", "enabled", "protected", "sortOrder"];
    let created = tool.post(ENVIRONMENTS, &json!({"name": "staging", "type": "test"}), 201);
    assert_has(&created, &members);
    assert_has(&tool.get(&format!("{ENVIRONMENTS}/staging")), &members);
    let path = format!("{ENVIRONMENTS}/update/staging");
    let updated = tool.put(&path, &json!({"type": "pre-production"})).json();
    assert_has(&updated, &members);
    assert_eq!(tool.get(&format!("{ENVIRONMENTS}/staging"))["type"], "pre-production");
    tool.delete(&format!("{ENVIRONMENTS}/staging"));
    tool.call("GET", &format!("{ENVIRONMENTS}/staging"), None, 404);
}
