//! The examples of the OpenAPI document succeed as they stand: a newcomer presses "Try it out" and "Execute" on the API page.
//!
//! Each operation is called once on a new server, in an order in which each finds what it needs. Its parameters and its body
//! are those that the page fills in. Only secrets and numbers that a server assigns are copied from earlier responses, as the
//! newcomer does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use latchkey_testkit::{
    env::TestEnv,
    raw_http::{Request, Response},
    server::{Server, percent_encoded},
};
use serde_json::{Map, Value};

/// The caller of an operation.
#[derive(Debug, Clone, Copy)]
enum By {
    Anonymous,
    /// The admin token of the first start.
    Admin,
    /// The user of the examples, by the cookie of its login.
    Session,
    /// The API token that was created last.
    Token,
}
use By::{Admin, Anonymous, Session, Token};

/// Calls of every operation: its id, its caller, the parameters of its path that are copied (`name=remembered`), and what is
/// remembered of the response (`remembered=/pointer`).
const CALLS: &[(&str, By, &str, &str)] = &[
    ("getHealth", Anonymous, "", ""),
    ("getReady", Anonymous, "", ""),
    ("getMetrics", Anonymous, "", ""),
    ("getUnleashMetrics", Anonymous, "", ""),
    ("getSecretPattern", Anonymous, "", ""),
    ("getPermissions", Admin, "", ""),
    ("createEnvironment", Admin, "", ""),
    ("getAllEnvironments", Admin, "", ""),
    ("getEnvironment", Admin, "", ""),
    ("updateSortOrder", Admin, "", ""),
    ("createProject", Admin, "", ""),
    ("getProjects", Admin, "", ""),
    ("getProject", Admin, "", ""),
    ("getProjectOverview", Admin, "", ""),
    ("updateProject", Admin, "", ""),
    ("addEnvironmentToProject", Admin, "", ""),
    ("getProjectEnvironments", Admin, "", ""),
    ("removeEnvironmentFromProject", Admin, "", ""),
    ("validateUserPassword", Admin, "", ""),
    ("createUser", Admin, "", "user=/id"),
    ("getUsers", Admin, "", ""),
    ("getUser", Admin, "id=user", ""),
    ("searchUsers", Admin, "", ""),
    ("getBaseUsersAndGroups", Admin, "", ""),
    ("getAdminCount", Admin, "", ""),
    ("updateUser", Admin, "id=user", ""),
    ("addAccessToProject", Admin, "", ""),
    ("getProjectAccess", Admin, "", ""),
    ("updateProjectSettings", Admin, "", ""),
    ("setProjectAccess", Admin, "", ""),
    ("setRolesForUser", Admin, "userId=user", ""),
    ("createGroup", Admin, "", "group=/id"),
    ("getGroups", Admin, "", ""),
    ("getGroup", Admin, "groupId=group", ""),
    ("updateGroup", Admin, "groupId=group", ""),
    ("setRolesForGroup", Admin, "groupId=group", ""),
    ("removeGroupAccess", Admin, "groupId=group", ""),
    ("deleteGroup", Admin, "groupId=group", ""),
    ("createWebhook", Admin, "", "webhook=/id"),
    ("getWebhooks", Admin, "", ""),
    ("getWebhook", Admin, "webhookId=webhook", ""),
    ("updateWebhook", Admin, "webhookId=webhook", ""),
    ("pingWebhook", Admin, "webhookId=webhook", ""),
    ("getWebhookDeliveries", Admin, "webhookId=webhook", ""),
    ("deleteWebhook", Admin, "webhookId=webhook", ""),
    ("createRole", Admin, "", "role=/id"),
    ("getRoles", Admin, "", ""),
    ("getRoleById", Admin, "id=role", ""),
    ("updateRole", Admin, "id=role", ""),
    ("deleteRole", Admin, "id=role", ""),
    ("createServiceAccount", Admin, "", "account=/id"),
    ("getServiceAccounts", Admin, "", ""),
    ("updateServiceAccount", Admin, "id=account", ""),
    ("createServiceAccountToken", Admin, "id=account", "pat=/id"),
    ("getServiceAccountTokens", Admin, "id=account", ""),
    ("deleteServiceAccountToken", Admin, "id=account tokenId=pat", ""),
    ("deleteServiceAccount", Admin, "id=account", ""),
    ("login", Anonymous, "", ""),
    ("getMe", Session, "", ""),
    ("getProfile", Session, "", ""),
    ("getMyRoles", Session, "", ""),
    ("getUserPermissions", Admin, "id=user", ""),
    ("getInstanceAdminStats", Admin, "", ""),
    ("getReplicas", Admin, "", ""),
    ("createPat", Session, "", "pat=/id"),
    ("getPats", Session, "", ""),
    ("deletePat", Session, "id=pat", ""),
    ("changeMyPassword", Session, "", ""),
    ("changeUserPassword", Admin, "id=user", ""),
    ("login", Anonymous, "", ""),
    ("getLogout", Session, "", ""),
    ("login", Anonymous, "", ""),
    ("getMySessions", Session, "", "session=/sessions/0/id"),
    ("deleteMySession", Session, "id=session", ""),
    ("login", Anonymous, "", ""),
    ("logout", Session, "", ""),
    ("createApiToken", Admin, "", "token=/secret"),
    ("createApiTokens", Admin, "", ""),
    ("getAllApiTokens", Admin, "", ""),
    ("getApiTokensByName", Admin, "token=token", ""),
    ("updateApiToken", Admin, "token=token", ""),
    ("patchApiToken", Admin, "token=token", ""),
    ("rotateApiToken", Admin, "token=token", "token=/secret"),
    ("deleteApiToken", Admin, "token=token", ""),
    ("createProjectApiToken", Admin, "", "token=/secret"),
    ("createProjectApiTokens", Admin, "", ""),
    ("getProjectApiTokens", Admin, "", ""),
    ("getApiTokensOfProjects", Admin, "", ""),
    ("getProjectApiToken", Admin, "token=token", ""),
    ("getProjectApiTokenUsage", Admin, "token=token", ""),
    ("getApiTokenUsage", Admin, "token=token", ""),
    ("getProjectUsage", Admin, "", ""),
    ("getUsage", Admin, "", ""),
    ("patchProjectApiToken", Admin, "token=token", ""),
    ("rotateProjectApiToken", Admin, "token=token", "token=/secret"),
    ("verifyToken", Token, "", ""),
    ("verifyTokenByPost", Token, "", ""),
    ("getValidTokens", Anonymous, "", ""),
    ("introspectToken", Token, "", ""),
    ("verifyTokens", Token, "", ""),
    ("recordSeenTokens", Token, "", ""),
    ("recordEdgeMetrics", Token, "", ""),
    ("getOwnToken", Token, "", ""),
    ("rotateOwnToken", Token, "", "token=/secret"),
    ("reportLeakedTokens", Admin, "", ""),
    ("deleteProjectApiToken", Admin, "token=token", ""),
    ("createProjectApiToken", Admin, "", "token=/secret"),
    ("deleteOwnToken", Token, "", ""),
    ("removeUserAccess", Admin, "userId=user", ""),
    ("deleteUser", Admin, "id=user", ""),
    ("getEvents", Admin, "", ""),
    ("streamEvents", Admin, "", ""),
    ("exportEvents", Admin, "", ""),
    ("searchEvents", Admin, "", ""),
    ("getProjectEvents", Admin, "", ""),
    ("setProjectPolicy", Admin, "", ""),
    ("getProjectPolicy", Admin, "", ""),
    ("getProjectPolicyViolations", Admin, "", ""),
    ("getPolicyViolations", Admin, "", ""),
    ("archiveProject", Admin, "", ""),
    ("reviveProject", Admin, "", ""),
    ("deleteProject", Admin, "", ""),
    ("updateEnvironment", Admin, "", ""),
    ("updateEnvironmentType", Admin, "", ""),
    ("toggleEnvironmentOff", Admin, "", ""),
    ("toggleEnvironmentOn", Admin, "", ""),
    ("removeEnvironment", Admin, "", ""),
];

/// One operation of the document.
struct Operation<'d> {
    method: String,
    path: &'d str,
    entry: &'d Value,
}

fn operations(document: &Value) -> BTreeMap<&str, Operation<'_>> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().expect("methods").iter().map(move |(method, entry)| {
            let id = entry["operationId"].as_str().expect("an id");
            (id, Operation { method: method.to_uppercase(), path, entry })
        })
    });
    operations.collect()
}

/// Returns what the API page fills in for a schema: its example, else the examples of its parts, else its first choice.
fn sample(document: &Value, schema: &Value, place: &str) -> Value {
    if let Some(example) = schema.get("example").or_else(|| schema.pointer("/examples/0")) {
        return example.clone();
    }
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.strip_prefix('#').expect("in this document");
        return sample(document, document.pointer(pointer).expect("a schema"), place);
    }
    if let Some(first) = schema.pointer("/oneOf/0").or_else(|| schema.pointer("/enum/0")) {
        return if first.is_object() { sample(document, first, place) } else { first.clone() };
    }
    if let Some(items) = schema.get("items") {
        return Value::Array(vec![sample(document, items, place)]);
    }
    let members = schema["properties"].as_object().unwrap_or_else(|| panic!("{place} has no example"));
    let member = |(name, schema)| (String::clone(name), sample(document, schema, &format!("{place}/{name}")));
    Value::Object(members.iter().map(member).collect::<Map<_, _>>())
}

/// What the newcomer knows.
struct Newcomer {
    admin: String,
    cookie: String,
    remembered: BTreeMap<String, String>,
}

impl Newcomer {
    /// Builds the call of an operation from its examples.
    fn request(&self, document: &Value, operation: &Operation<'_>, by: By, copied: &str) -> Request {
        let mut target = operation.path.to_owned();
        for pair in copied.split_whitespace() {
            let (name, key) = pair.split_once('=').expect("a pair");
            target = target.replace(&format!("{{{name}}}"), &percent_encoded(&self.remembered[key]));
        }
        let (mut query, mut headers) = (Vec::new(), Vec::new());
        for parameter in operation.entry["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().expect("a name");
            let example = match &parameter["example"] {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            match parameter["in"].as_str() {
                Some("path") => target = target.replace(&format!("{{{name}}}"), &percent_encoded(&example)),
                Some("query") => query.push(format!("{name}={}", percent_encoded(&example))),
                Some("header") => headers.push((name, example)),
                other => panic!("{other:?}"),
            }
        }
        assert!(!target.contains('{'), "{target} has neither an example nor a value to copy");
        if !query.is_empty() {
            target = format!("{target}?{}", query.join("&"));
        }
        let mut request = Request::new(&operation.method, &target);
        for (name, value) in headers {
            request = request.header(name, &value);
        }
        if let Some(content) = operation.entry["requestBody"]["content"].as_object() {
            let (media_type, content) = content.iter().next().expect("a media type");
            let body = sample(document, &content["schema"], &target);
            let is_form = media_type == "application/x-www-form-urlencoded";
            let text = if is_form { form(&body) } else { body.to_string() };
            request = request.header("content-type", media_type).body(text);
        }
        match by {
            Anonymous => request,
            Admin => request.by(&self.admin),
            Session => request.header("cookie", &self.cookie),
            Token => request.by(&self.remembered["token"]),
        }
    }

    fn learn(&mut self, response: &Response, remembered: &str) {
        if response.header("set-cookie").is_some() {
            self.cookie = response.cookie();
        }
        if let Some((key, pointer)) = remembered.split_once('=') {
            let body = response.json();
            let value = body.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {body}"));
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.remembered.insert(key.to_owned(), value);
        }
    }
}

fn form(body: &Value) -> String {
    let members = body.as_object().expect("a form").iter();
    let pair = |(name, value): (&String, &Value)| {
        format!("{name}={}", percent_encoded(value.as_str().expect("a text")))
    };
    members.map(pair).collect::<Vec<_>>().join("&")
}

/// Returns the first success that an operation documents.
fn first_success(operation: &Operation<'_>) -> u16 {
    let statuses = operation.entry["responses"].as_object().expect("responses").keys();
    let mut statuses = statuses.map(|status| status.parse().expect("a status"));
    statuses.find(|status| (200..300).contains(status)).expect("a success")
}

#[test]
fn every_example_of_the_document_succeeds_on_a_new_server() {
    // By default, tokens may do nothing with themselves.
    let env = TestEnv::new().with("LATCHKEY__TOKENS__SELF_SERVICE", "all");
    let server: Server = env.serve();
    let document = server.send(&Request::get("/docs/openapi.json")).json();
    let operations = operations(&document);
    let admin = fs::read_to_string(env.path("data/admin-token")).expect("the file");
    let mut newcomer =
        Newcomer { admin: admin.trim().to_owned(), cookie: String::new(), remembered: BTreeMap::new() };
    let mut refused = Vec::new();
    for &(id, by, copied, remembered) in CALLS {
        let operation = operations.get(id).unwrap_or_else(|| panic!("there is no operation {id}"));
        let request = newcomer.request(&document, operation, by, copied);
        let response = server.send(&request);
        if response.status == first_success(operation) {
            newcomer.learn(&response, remembered);
        } else {
            refused.push(format!("{id}: {} {}\n  {request:?}", response.status, response.text()));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    // The page cannot sign the calls of the first, and there is nothing to send again to a new webhook.
    let others = ["issueEdgeTokens", "reportLeaksOfGithub", "redeliverWebhookEvent"];
    let called: BTreeSet<_> = CALLS.iter().map(|(id, ..)| *id).chain(others).collect();
    assert_eq!(called, operations.into_keys().collect(), "each operation is called");
}
