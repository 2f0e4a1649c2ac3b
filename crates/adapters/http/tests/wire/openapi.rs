//! The OpenAPI document, and that each of its routes requires credentials.

use std::collections::BTreeSet;

use actix_web::http::Method;
use latchkey_domain::{EnvironmentName, ProjectId};
use latchkey_testkit::app::{As, TestApp};
use serde_json::Value;

/// The routes without credentials, and the status of a request without a body.
const PUBLIC: &[(&str, u16)] = &[
    ("/.well-known/latchkey-secret-pattern", 200),
    ("/auth/simple/login", 415),
    ("/edge/validate", 415),
    ("/health", 200),
    ("/internal-backstage/prometheus", 200),
    ("/leaks/github", 404),
    ("/metrics", 200),
    ("/ready", 200),
];

async fn document(app: &TestApp) -> Value {
    app.get(As::Anonymous, "/docs/openapi.json").await.json()
}

#[actix_web::test]
async fn every_route_but_the_public_ones_requires_credentials() {
    let app = TestApp::new().await;
    let document = document(&app).await;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            let method: Method = method.to_uppercase().parse().expect("a method");
            let answer = app.method(As::Anonymous, method, &path.replace(['{', '}'], "")).await;
            let public = PUBLIC.iter().find(|(public, _)| public == path);
            let expected = public.map_or(401, |(_, status)| *status);
            assert_eq!(answer.status.as_u16(), expected, "{path}");
        }
    }
}

/// Otherwise such a project or environment could not be reached by its own path.
#[actix_web::test]
async fn no_name_is_a_fixed_part_of_a_path() {
    let app = TestApp::new().await;
    let document = document(&app).await;
    let fixed = |collection: &str| {
        let paths = document["paths"].as_object().expect("paths").keys();
        let parts = paths.filter_map(|path| path.strip_prefix(collection)?.split('/').next());
        let fixed: BTreeSet<_> = parts.filter(|part| !part.starts_with('{')).map(str::to_owned).collect();
        fixed.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(fixed("/api/admin/projects/"), ProjectId::RESERVED);
    assert_eq!(fixed("/api/admin/environments/"), EnvironmentName::RESERVED);
}

#[actix_web::test]
async fn operations_have_stable_names_and_list_every_status() {
    let app = TestApp::new().await;
    let document = document(&app).await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut table = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let statuses: Vec<_> =
                operation["responses"].as_object().expect("responses").keys().cloned().collect();
            let id = operation["operationId"].as_str().expect("an id");
            table.push(format!("{id}: {} {path} -> {}", method.to_uppercase(), statuses.join(" ")));
        }
    }
    insta::assert_snapshot!(table.join("\n"));
}

/// Returns the operations of the document, with their ids.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let paths = document["paths"].as_object().expect("paths").values();
    let operations = paths.flat_map(|path| path.as_object().expect("operations").values());
    operations.map(|operation| (operation["operationId"].as_str().expect("an id"), operation))
}

#[actix_web::test]
async fn every_operation_is_described() {
    let app = TestApp::new().await;
    let document = document(&app).await;
    let tags = document["tags"].as_array().expect("tags");
    for (id, operation) in operations(&document) {
        for member in ["summary", "description"] {
            assert!(operation[member].as_str().is_some_and(|text| !text.is_empty()), "{id}: {member}");
        }
        let [tag] = operation["tags"].as_array().expect("tags").as_slice() else { panic!("{id}: one tag") };
        assert!(tags.iter().any(|known| known["name"] == *tag), "{id}: {tag} is not described");
    }
}

#[actix_web::test]
async fn every_parameter_is_described() {
    let app = TestApp::new().await;
    let document = document(&app).await;
    for (id, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let description = parameter["description"].as_str().unwrap_or_default();
            assert!(!description.is_empty(), "{id}: {parameter}");
        }
    }
}

#[actix_web::test]
async fn every_error_has_the_schema_and_an_example() {
    let app = TestApp::new().await;
    let document = document(&app).await;
    for (id, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().expect("responses") {
            let content = &response["content"]["application/json"];
            let is_error = content["schema"]["$ref"] == "#/components/schemas/errorSchema";
            assert_eq!(is_error, status.as_str() >= "400", "{id}: {status}");
            assert_eq!(is_error, content["example"]["message"].is_string(), "{id}: {status}");
        }
    }
}

#[actix_web::test]
async fn the_permissions_of_an_operation_are_those_that_it_checks() {
    let app = TestApp::new().await;
    let document = document(&app).await;
    for (expected, start) in [
        ("createRole", "The permission ADMIN is missing. Or another site"),
        ("getProjectApiTokens", "The permission READ_PROJECT_API_TOKEN is missing."),
        (
            "rotateProjectApiToken",
            "One of the permissions CREATE_PROJECT_API_TOKEN, DELETE_PROJECT_API_TOKEN is missing.",
        ),
        (
            "getAllApiTokens",
            "Each of the permissions ADMIN, READ_CLIENT_API_TOKEN, READ_FRONTEND_API_TOKEN is missing.",
        ),
        ("getMySessions", "The caller is an API token, not a user."),
    ] {
        let (_, operation) = operations(&document).find(|(id, _)| *id == expected).expect(expected);
        let described = operation["responses"]["403"]["description"].as_str().unwrap_or_default();
        assert!(described.starts_with(start), "{expected}: {described}");
    }
}

#[actix_web::test]
async fn the_schema_of_a_token_is_stable() {
    let app = TestApp::new().await;
    let document = document(&app).await;
    insta::assert_json_snapshot!(document["components"]["schemas"]["apiTokenSchema"]);
}

#[actix_web::test]
async fn a_change_that_was_overtaken_is_a_503_too() {
    let app = TestApp::new().await;
    let document = document(&app).await;
    for (path, method) in [
        ("/api/admin/projects/{projectId}/api-tokens/{token}/rotate", "post"),
        ("/api/admin/api-tokens/{token}/rotate", "post"),
        ("/api/admin/roles/{id}", "put"),
        ("/api/admin/user/change-password", "post"),
    ] {
        let said = &document["paths"][path][method]["responses"]["503"]["description"];
        let said = said.as_str().unwrap_or_default();
        assert!(
            said.starts_with("The database does not answer") && said.contains("another request changed"),
            "{path}: {said}"
        );
    }
}

#[actix_web::test]
async fn there_is_a_page_to_try_it_at() {
    let app = TestApp::new().await;
    let page = app.get(As::Anonymous, "/docs/openapi/").await;
    assert_eq!(page.status, 200);
    assert!(String::from_utf8_lossy(&page.bytes).contains("swagger"));
    assert!(String::from_utf8_lossy(&page.bytes).contains("<title>Latchkey API</title>"));
    let start = app.get(As::Anonymous, "/").await;
    assert_eq!((start.status.as_u16(), start.header("location")), (302, Some("/docs/openapi/")));
    for path in ["/docs", "/docs/", "/docs/openapi"] {
        let moved = app.get(As::Anonymous, path).await;
        assert_eq!(
            (moved.status.as_u16(), moved.header("location")),
            (301, Some("/docs/openapi/")),
            "{path}"
        );
    }
}

#[actix_web::test]
async fn every_reference_leads_somewhere() {
    let app = TestApp::new().await;
    let document = document(&app).await;
    let mut found = 0;
    let mut left = vec![&document];
    while let Some(value) = left.pop() {
        match value {
            Value::Object(members) => {
                if let Some(target) = members.get("$ref").and_then(Value::as_str) {
                    let pointer = target.strip_prefix('#').expect("inside the document");
                    assert!(document.pointer(pointer).is_some(), "{target}");
                    found += 1;
                }
                left.extend(members.values());
            }
            Value::Array(entries) => left.extend(entries),
            _ => {}
        }
    }
    assert!(found > 100, "{found}");
}
