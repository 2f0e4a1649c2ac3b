//! Members of bodies that are not known: misspelt ones are refused, all others are ignored and named in a header.

use actix_web::{http::Method, test::TestRequest};
use latchkey_domain::TokenAccess;
use latchkey_service::SelfService;
use latchkey_testkit::app::{As, Response, TOKENS, TestApp};
use serde_json::{Map, Value, json};

use crate::{
    expectations::{event_count, faults, refused_for},
    instance_tokens::{ALL, made},
};

pub(crate) const WARNING: &str = "x-latchkey-warning";

/// The paths whose bodies are read as they were sent: those of Unleash Edge and of GitHub, and environments by their names.
const AS_SENT: [&str; 6] = [
    "/api/admin/environments/sort-order",
    "/api/client/metrics/bulk",
    "/edge/issue-token",
    "/edge/metrics",
    "/edge/validate",
    "/leaks/github",
];

/// An operation with a JSON body.
struct Operation {
    method: Method,
    /// The path as in the document.
    path: String,
    media_type: String,
    members: Vec<String>,
    /// Whether its body may have no other members.
    is_closed: bool,
    /// Whether the document says that its responses can have warnings.
    has_warnings: bool,
}

impl Operation {
    async fn all(app: &TestApp) -> Vec<Self> {
        let document = app.get(As::Anonymous, "/docs/openapi.json").await.json();
        let mut all = Vec::new();
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                let content = operation["requestBody"]["content"].as_object();
                let json = content.into_iter().flatten().find(|(media_type, _)| media_type.contains("json"));
                let Some((media_type, content)) = json else { continue };
                let schema = object(&document, &content["schema"]);
                let properties = schema["properties"].as_object();
                let responses = operation["responses"].as_object().expect("responses");
                all.push(Self {
                    method: method.to_uppercase().parse().expect("a method"),
                    path: path.clone(),
                    media_type: media_type.clone(),
                    members: properties.into_iter().flat_map(Map::keys).cloned().collect(),
                    is_closed: schema["additionalProperties"] == false,
                    has_warnings: responses
                        .values()
                        .any(|one| one["headers"][WARNING_IN_DOCUMENT].is_object()),
                });
            }
        }
        all
    }

    /// Sends a body with this member alone, or without any.
    async fn send(&self, app: &TestApp, member: Option<&str>) -> Response {
        let fills = [
            ("{projectId}", "default"),
            ("{name}", "development"),
            ("{environment}", "development"),
            ("{token}", "none"),
        ];
        let path = fills.iter().fold(self.path.clone(), |path, (name, value)| path.replace(name, value));
        let parts = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
        let path = parts.collect::<Vec<_>>().join("/");
        let body = Value::Object(member.map(|member| (member.to_owned(), json!(1))).into_iter().collect());
        let request = TestRequest::with_uri(&path).method(self.method.clone());
        let request = request.insert_header(("content-type", self.media_type.as_str()));
        let request = request.set_payload(body.to_string());
        if self.path.starts_with("/api/token") {
            // A token acts for itself, by its present secret alone.
            return app.send_by(&app.token(TokenAccess::Admin).await, request).await;
        }
        app.send(As::Root, request).await
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn is_as_sent(&self) -> bool {
        AS_SENT.contains(&self.path.as_str())
    }
}

/// The header, as the document names it.
const WARNING_IN_DOCUMENT: &str = "X-Latchkey-Warning";

/// Returns the schema of an object that is perhaps referred to, and perhaps may be null.
fn object<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).expect("inside the document");
        return object(document, target);
    }
    match schema["oneOf"].as_array() {
        Some(alternatives) => {
            let other = alternatives.iter().find(|one| one["type"] != "null").expect("more than null");
            object(document, other)
        }
        None => schema,
    }
}

async fn app() -> TestApp {
    TestApp::with(|settings| settings.use_cases.self_service = SelfService::Rotate).await
}

fn outcome(response: &Response) -> (u16, Value) {
    let body = serde_json::from_slice(&response.bytes).unwrap_or(Value::Null);
    (response.status.as_u16(), body["details"].clone())
}

#[actix_web::test]
async fn every_operation_ignores_a_member_that_is_not_known_and_names_it() {
    let app = app().await;
    let operations = Operation::all(&app).await;
    let mut named = 0;
    for operation in &operations {
        let name = operation.name();
        let (without, with) = (operation.send(&app, None).await, operation.send(&app, Some("zzzzzz")).await);
        assert_eq!(without.header(WARNING), None, "{name}");
        if operation.is_closed {
            assert!(faults(&with).contains(&"/body/zzzzzz".to_owned()), "{name}: {}", with.json());
            assert_eq!(with.header(WARNING), None, "{name}");
        } else if operation.is_as_sent() {
            assert_eq!(with.header(WARNING), None, "{name}");
        } else {
            assert_eq!(outcome(&without), outcome(&with), "{name}");
            assert_eq!(with.header(WARNING), Some("unknown-member;name=\"zzzzzz\""), "{name}");
            named += 1;
        }
    }
    assert!(named > 25 && operations.len() > named, "{named} of {}", operations.len());
}

#[actix_web::test]
async fn the_document_names_the_header_where_it_can_be() {
    let app = TestApp::new().await;
    for operation in Operation::all(&app).await {
        let can = !(operation.is_closed || operation.is_as_sent());
        assert_eq!(operation.has_warnings, can, "{}", operation.name());
    }
    let document = app.get(As::Anonymous, "/docs/openapi.json").await.json();
    let responses = &document["paths"]["/api/admin/api-tokens/{token}"]["delete"]["responses"];
    assert!(responses["200"]["headers"][WARNING_IN_DOCUMENT]["description"].is_string(), "{responses}");
    assert!(responses["403"]["headers"][WARNING_IN_DOCUMENT].is_null(), "{responses}");
}

#[actix_web::test]
async fn every_operation_refuses_a_misspelt_member_with_the_right_name() {
    let app = app().await;
    let mut refused = 0;
    for operation in Operation::all(&app).await.iter().filter(|operation| !operation.is_as_sent()) {
        // A shorter name has no room for a mistake.
        for member in operation.members.iter().filter(|member| member.len() > 2) {
            let misspelt = format!("{member}_");
            let answer = operation.send(&app, Some(&misspelt)).await;
            let place = format!("/body/{misspelt}");
            assert!(faults(&answer).contains(&place), "{}: {}", operation.name(), answer.json());
            let details = answer.json()["details"].as_array().expect("details").clone();
            let found = details.iter().find(|detail| detail["path"] == place).expect("found above");
            let message = format!("{misspelt} is not known here: did you mean {member}?");
            assert_eq!(found["message"], message, "{}", operation.name());
            assert_eq!(answer.header(WARNING), None, "{}", operation.name());
            refused += 1;
        }
    }
    assert!(refused > 60, "{refused}");
}

#[actix_web::test]
async fn words_for_the_expiry_of_a_token_are_refused_on_every_route() {
    let app = TestApp::new().await;
    let secret = made(&app, "t", "client").await;
    let before = event_count(&app).await;
    for word in ["expires", "expiresIn", "expiry", "expires_at", "expires-in", "expireAt", "ExpiresAt"] {
        for path in [TOKENS, ALL] {
            let mut body = json!({"tokenName": "x", "type": "client"});
            body[word] = json!("2030-01-01T00:00:00Z");
            let place = format!("/{word}");
            refused_for(&app, || TestRequest::post().uri(path), &[(body.clone(), &[&place])]).await;

            let batch = json!({"tokens": [{"tokenName": "y", "type": "client"}, body]});
            let place = format!("/tokens/1{place}");
            let path = format!("{path}/batch");
            refused_for(&app, || TestRequest::post().uri(&path), &[(batch, &[&place])]).await;
        }
        let path = format!("{ALL}/{secret}");
        let mut body = json!({"expiresAt": "2030-01-01T00:00:00Z"});
        body[word] = json!("2030-01-01T00:00:00Z");
        let place = format!("/{word}");
        refused_for(&app, || TestRequest::put().uri(&path), &[(body, &[&place])]).await;
        let patch = json!({ word: null });
        refused_for(&app, || TestRequest::patch().uri(&path), &[(patch, &[&place])]).await;
    }
    let name = json!({"name": "x", "type": "client"});
    refused_for(&app, || TestRequest::post().uri(ALL), &[(name, &["/name", "/tokenName"])]).await;
    assert_eq!(event_count(&app).await, before);
}

/// Swallowed, `user` would leave a role without any of its users.
#[actix_web::test]
async fn misspelt_members_of_inner_objects_are_refused_at_their_list() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    let access = json!({"roles": [{"id": 5, "user": [1]}]});
    let answer = app.put(As::Root, "/api/admin/projects/default/access", &access).await;
    assert_eq!(faults(&answer), ["/body/roles"]);
    let message = "user is not known here: did you mean users?";
    assert_eq!(answer.json()["details"][0]["message"], message);
    let batch = json!({"tokens": [{"tokenName": "x", "type": "client"}], "token": []});
    let answer = app.post(As::Root, &format!("{ALL}/batch"), &batch).await;
    assert_eq!(faults(&answer), ["/body/token"]);
    let batch = json!({"Tokens": [{"tokenName": "x", "type": "client"}]});
    let answer = app.post(As::Root, &format!("{ALL}/batch"), &batch).await;
    assert_eq!(faults(&answer), ["/body/Tokens", "/body/tokens"]);
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn members_are_named_once_with_what_they_are_in() {
    let app = TestApp::without_quota().await;
    let token = |name: &str| json!({"tokenName": name, "type": "client", "foo": 1});
    let batch = json!({"tokens": [token("a"), token("b")], "bar": {"baz": 1}});
    let answer = app.post(As::Root, &format!("{ALL}/batch"), &batch).await;
    assert_eq!(answer.status, 201);
    let expected = "unknown-member;name=\"bar\", unknown-member;name=\"tokens/foo\"";
    assert_eq!(answer.header(WARNING), Some(expected));

    let permission = json!({"name": "READ_PROJECT_API_TOKEN", "id": 4, "displayName": "Read"});
    let role = json!({"name": "r", "type": "custom", "permissions": [permission]});
    let answer = app.post(As::Root, "/api/admin/roles", &role).await;
    assert_eq!(answer.status, 200);
    let expected = "unknown-member;name=\"permissions/displayName\", unknown-member;name=\"permissions/id\"";
    assert_eq!(answer.header(WARNING), Some(expected));
}

#[actix_web::test]
async fn a_header_is_safe_whatever_the_names_are() {
    let app = TestApp::without_quota().await;
    let with = async |names: &[&str]| {
        let mut body = json!({"tokenName": "x", "type": "client"});
        for name in names {
            body[*name] = json!(1);
        }
        let answer = app.post(As::Root, TOKENS, &body).await;
        assert_eq!(answer.status, 201, "{}", answer.json());
        answer.header(WARNING).expect("a warning").to_owned()
    };
    let name = with(&["a\"\r\nset-cookie: b=c;\\, \u{0}é/"]).await;
    let expected = "a%22%0D%0Aset-cookie%3A%20b%3Dc%3B%5C%2C%20%00%C3%A9%2F";
    assert_eq!(name, format!("unknown-member;name=\"{expected}\""));
    assert_eq!(with(&[""]).await, "unknown-member;name=\"\"");
    assert_eq!(with(&[&"x".repeat(5_000)]).await, format!("unknown-member;name=\"{}\"", "x".repeat(100)));
    let many: Vec<_> = (10..40).map(|number| format!("member{number}")).collect();
    let many = with(&many.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!((many.split(", ").count(), many.contains("member19")), (10, true), "{many}");
}

/// What clients of Unleash send beside the members that are known here: its own schemas have them, or a client read an object,
/// changed it and sends it back.
#[actix_web::test]
async fn bodies_of_clients_of_unleash_are_accepted() {
    let app = TestApp::without_quota().await;
    let token = json!({
        "secret": "*:development.x", "tokenName": "t", "username": "t", "type": "client", "environment": "development",
        "projects": ["default"], "expiresAt": null, "createdAt": "2023-04-19T08:15:14.000Z", "seenAt": null, "alias": null,
        "secure": false
    });
    let user = json!({
        "id": 1, "name": "n", "email": "n@example.com", "username": "n", "rootRole": 2, "isAPI": false, "imageUrl": "",
        "accountType": "User", "seenAt": null, "loginAttempts": 0, "createdAt": "2023-04-19T08:15:14.000Z", "scimId": null,
        "emailHash": "x", "inviteLink": "", "permissions": [], "productivityReportEmail": false, "companyRole": ""
    });
    let project = json!({
        "id": "shop", "name": "Shop", "description": "", "mode": "open", "environments": ["development"],
        "defaultStickiness": "default", "featureLimit": null, "featureNaming": {"pattern": "", "example": ""},
        "changeRequestEnvironments": [], "linkTemplates": [], "favorite": false, "memberCount": 1, "featureCount": 0,
        "health": 100, "createdAt": "2023-04-19T08:15:14.000Z", "updatedAt": null, "archivedAt": null, "owners": []
    });
    let environment = json!({
        "name": "staging", "type": "test", "enabled": true, "sortOrder": 3, "protected": false, "requiredApprovals": null,
        "projectCount": 0, "apiTokenCount": 0, "enabledToggleCount": 0
    });
    let group = json!({
        "id": 1, "name": "g", "description": "", "mappingsSSO": [], "rootRole": 3, "createdBy": "x", "scimId": null,
        "createdAt": "2023-04-19T08:15:14.000Z", "userCount": 1, "projects": [],
        "users": [{"joinedAt": "2023-04-19T08:15:14.000Z", "user": {"id": 1, "name": "n", "email": "n@example.com"}}]
    });
    let in_project =
        json!({"environment": "staging", "changeRequestsEnabled": false, "defaultStrategy": {"name": "x"}});
    let pat = json!({
        "description": "p", "expiresAt": "2030-01-01T00:00:00Z", "id": 7, "userId": 1, "createdAt": "x", "seenAt": null
    });
    let account = json!({
        "username": "s", "name": "s", "rootRole": 2, "id": 1, "isAPI": false, "imageUrl": "", "tokens": [],
        "createdAt": "2023-04-19T08:15:14.000Z", "accountType": "Service Account", "email": null
    });
    let root = app.user_of(As::Root).await.id.0;
    let member = app.user_of(As::Member).await.id.0;
    let mut group = group;
    group["users"][0]["user"]["id"] = json!(root);
    for (method, path, body) in [
        (Method::POST, TOKENS.to_owned(), &token),
        (Method::POST, ALL.to_owned(), &token),
        (Method::PUT, format!("/api/admin/user-admin/{member}"), &user),
        (Method::POST, "/api/admin/projects".to_owned(), &project),
        (Method::PUT, "/api/admin/projects/shop".to_owned(), &project),
        (Method::PUT, "/api/admin/projects/shop/settings".to_owned(), &project),
        (Method::POST, "/api/admin/environments".to_owned(), &environment),
        (Method::PUT, "/api/admin/environments/update/staging".to_owned(), &environment),
        (Method::POST, "/api/admin/projects/shop/environments".to_owned(), &in_project),
        (Method::POST, "/api/admin/groups".to_owned(), &group),
        (Method::POST, "/api/admin/user/tokens".to_owned(), &pat),
        (Method::POST, "/api/admin/service-account".to_owned(), &account),
    ] {
        let request = TestRequest::with_uri(&path).method(method.clone()).set_json(body);
        let answer = app.send(As::Root, request).await;
        assert!(answer.status.is_success(), "{method} {path}: {}", answer.text());
        assert!(answer.header(WARNING).is_some_and(|value| value.contains("unknown-member")), "{path}");
    }
}
