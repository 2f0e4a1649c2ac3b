//! Terraform's provider (3.4.3): users, service accounts, roles and the members of projects.

use latchkey_testkit::env::Store;
use serde_json::{Value, json};

use super::{Tool, assert_has, assert_lacks, entry, terraform::USER_AGENT};

const USERS: &str = "/api/admin/user-admin";
const ACCOUNTS: &str = "/api/admin/service-account";
const ROLES: &str = "/api/admin/roles";

fn tool() -> Tool {
    Tool::new(USER_AGENT, Store::Sqlite)
}

#[test]
fn resource_user_and_its_data_source() {
    let tool = tool();
    let created =
        tool.post(USERS, &json!({"email": "a@example.com", "rootRole": 3, "sendEmail": false}), 201);
    assert_has(&created, &["id", "email", "rootRole"]);
    assert_lacks(&created, &["name", "username"]);
    let path = format!("{USERS}/{}", created["id"]);
    let read = tool.get(&path);
    assert_eq!((&read["email"], &read["rootRole"]), (&json!("a@example.com"), &json!(3)));
    assert_lacks(&read, &["name", "username"]);
    let updated = tool.put(&path, &json!({"email": "b@example.com", "rootRole": 2})).json();
    assert_eq!((&updated["email"], &updated["rootRole"]), (&json!("b@example.com"), &json!(2)));
    assert_lacks(&updated, &["name", "username"]);

    let full = json!({"username": "hunter", "name": "Sam", "password": "a long passphrase", "rootRole": 1});
    let full = tool.post(USERS, &full, 201);
    assert_eq!((&full["username"], &full["name"]), (&json!("hunter"), &json!("Sam")));
    assert_lacks(&full, &["email"]);

    let found = tool.get(&format!("{USERS}/search?q=b%40example.com"));
    let found = entry(&found, "email", &json!("b@example.com"));
    assert_has(found, &["id", "email", "imageUrl", "createdAt", "rootRole"]);
    assert_eq!(tool.get(&format!("{USERS}/{}", found["id"])), updated);
    tool.delete(&path);
    tool.call("GET", &path, None, 404);
}

#[test]
fn resource_role_and_data_sources_of_roles_and_permissions() {
    let tool = tool();
    let body = json!({
        "name": "Auditor", "description": "Looks.", "type": "custom",
        "permissions": [{"name": "READ_PROJECT_API_TOKEN"}]
    });
    let created = tool.post(ROLES, &body, 200);
    assert_eq!(created["version"], 1);
    let role = &created["roles"];
    assert_has(role, &["id", "type", "name", "description"]);
    let path = format!("{ROLES}/{}", role["id"]);
    let read = tool.get(&path);
    assert_has(&read, &["id", "type", "name", "description", "permissions"]);
    assert_has(&read["permissions"][0], &["id", "name", "displayName", "type"]);
    assert_lacks(&read["permissions"][0], &["environment"]);

    let changed = json!({"name": "Keeper", "type": "custom", "permissions": [{"name": "UPDATE_PROJECT"}]});
    let changed = tool.put(&path, &changed).json();
    assert_has(&changed["roles"], &["id", "type", "name", "description"]);
    assert_eq!(changed["roles"]["name"], "Keeper");
    let list = tool.get(ROLES);
    assert_eq!(list["version"], 1);
    assert_has(entry(&list["roles"], "name", &json!("Keeper")), &["id", "type", "name"]);
    tool.delete(&path);

    let known = tool.get("/api/admin/permissions");
    assert_eq!(known["version"], 1);
    for kind in ["root", "project"] {
        assert_has(&known["permissions"][kind][0], &["id", "name", "displayName", "type"]);
    }
    let development = entry(&known["permissions"]["environments"], "name", &json!("development"));
    assert_eq!(development["permissions"], json!([]));
}

#[test]
fn resource_group_and_its_data_source() {
    let tool = tool();
    let user = tool.post(USERS, &json!({"username": "one", "rootRole": 3}), 201)["id"].clone();
    let body = json!({
        "name": "Payments", "description": "", "mappingsSSO": ["payments-engineers"], "rootRole": 2,
        "users": [{"user": {"id": user}}]
    });
    let created = tool.post("/api/admin/groups", &body, 201);
    assert_has(&created, &["id", "name", "users"]);
    assert_eq!(created["users"][0]["user"]["id"], user);
    let path = format!("/api/admin/groups/{}", created["id"]);
    assert_eq!(tool.get(&path), created);
    let list = tool.get("/api/admin/groups");
    assert_eq!(entry(&list["groups"], "name", &json!("Payments")), &created);

    let changed = json!({"name": "Money", "users": []});
    tool.put(&path, &changed);
    let read = tool.get(&path);
    assert_eq!(
        (&read["name"], &read["users"], &read["mappingsSSO"]),
        (&json!("Money"), &json!([]), &json!([]))
    );
    assert_lacks(&read, &["description", "rootRole"]);
    tool.delete(&path);
    tool.call("GET", &path, None, 404);
}

/// Returns the ids of the roles of each holder of a kind, by its id.
fn holders(access: &Value, kind: &str) -> Vec<(Value, Value)> {
    let holders = access[kind].as_array().expect("a list").iter();
    holders.map(|holder| (holder["id"].clone(), holder["roles"].clone())).collect()
}

#[test]
fn resource_project_access() {
    let tool = tool();
    tool.post("/api/admin/projects", &json!({"id": "shop", "name": "Shop", "environments": []}), 201);
    let [one, two] = ["one", "two"]
        .map(|name| tool.post(USERS, &json!({"username": name, "rootRole": 3}), 201)["id"].clone());
    let group = tool.post("/api/admin/groups", &json!({"name": "Payments", "users": []}), 201)["id"].clone();
    let path = "/api/admin/projects/shop/access";
    let body = json!({"roles": [
        {"id": 4, "users": [one], "groups": []},
        {"id": 5, "users": [one, two], "groups": [group]},
    ]});
    tool.put(path, &body);
    let access = tool.get(path);
    assert_eq!(holders(&access, "users"), [(one.clone(), json!([4, 5])), (two.clone(), json!([5]))]);
    assert_eq!(holders(&access, "groups"), [(group.clone(), json!([5]))]);
    assert_has(&access["roles"][0], &["id", "type", "name"]);

    tool.put(path, &json!({"roles": [{"id": 5, "users": [two], "groups": []}]}));
    let access = tool.get(path);
    assert_eq!(holders(&access, "users"), [(two, json!([5]))], "the others are no members any more");
    assert_eq!(holders(&access, "groups"), []);
    tool.put(path, &json!({"roles": []}));
    assert_eq!(holders(&tool.get(path), "users"), []);
}

#[test]
fn resources_service_account_and_its_token() {
    let tool = tool();
    let created = tool.post(ACCOUNTS, &json!({"username": "bot", "name": "Bot", "rootRole": 3}), 201);
    assert_has(&created, &["id", "rootRole", "username", "name"]);
    let list = tool.get(ACCOUNTS);
    assert_has(&list, &["serviceAccounts", "rootRoles"]);
    assert_has(entry(&list["serviceAccounts"], "id", &created["id"]), &["id", "rootRole"]);
    let path = format!("{ACCOUNTS}/{}", created["id"]);
    let changed = tool.put(&path, &json!({"name": "Robot", "rootRole": 2})).json();
    assert_has(&changed, &["id", "rootRole"]);
    assert_eq!((&changed["name"], &changed["rootRole"]), (&json!("Robot"), &json!(2)));

    let tokens = format!("{path}/token");
    let body = json!({"description": "deploy", "expiresAt": "2099-01-01T00:00:00Z"});
    let token = tool.post(&tokens, &body, 201);
    assert_has(&token, &["id", "secret", "description", "expiresAt", "createdAt"]);
    let listed = tool.get(&tokens);
    assert_lacks(entry(&listed["pats"], "id", &token["id"]), &["secret"]);
    tool.delete(&format!("{tokens}/{}", token["id"]));
    tool.delete(&path);
}
