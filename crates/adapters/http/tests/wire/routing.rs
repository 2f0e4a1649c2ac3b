//! Paths and methods.

use actix_web::http::Method;
use latchkey_domain::{
    Actor, Environment, EnvironmentKind, EventKind, NewEvent, Origin, Project, ProjectDescription,
    ProjectMode, ProjectName, ProjectScope,
};
use latchkey_ports::Clock;
use serde_json::json;

use crate::app::{As, TOKENS, TestApp, id};

#[actix_web::test]
async fn paths_are_exact_but_for_one_slash_at_the_end() {
    let app = TestApp::new().await;
    assert_eq!(app.get(As::Admin, &format!("{TOKENS}/")).await.status, 200);
    for path in [
        &format!("{TOKENS}//"),
        "/api/admin/projects//api-tokens",
        "//api/admin/projects/default/api-tokens",
        "/API/admin/projects/default/api-tokens",
        "/api/admin/projects/default/API-TOKENS",
        "/api/nosuch",
        "/nosuch",
        "/",
    ] {
        app.get(As::Admin, path).await.is(404, "NotFoundError");
    }
}

#[actix_web::test]
async fn only_those_who_are_known_are_told_what_there_is_under_api() {
    let app = TestApp::new().await;
    app.get(As::Nobody, "/api/nosuch").await.is(401, "AuthenticationRequired");
    app.method(As::Nobody, Method::PUT, TOKENS).await.is(401, "AuthenticationRequired");
    app.method(As::Nobody, Method::OPTIONS, TOKENS).await.is(401, "AuthenticationRequired");
    app.get(As::Nobody, "/nosuch").await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn other_methods_are_refused_with_those_that_there_are() {
    let app = TestApp::new().await;
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = app.method(As::Admin, method, TOKENS).await;
        answer.is(405, "MethodNotAllowedError");
        assert_eq!(answer.header("allow"), Some("GET,HEAD,POST"));
    }
    for (path, allow) in [("x", "GET,HEAD,DELETE"), ("x/rotate", "POST")] {
        let answer = app.method(As::Admin, Method::PUT, &format!("{TOKENS}/{path}")).await;
        answer.is(405, "MethodNotAllowedError");
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
    }
    let answer = app.method(As::Admin, Method::OPTIONS, TOKENS).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, &b"GET,HEAD,POST"[..]));
    assert_eq!(app.method(As::Admin, Method::HEAD, TOKENS).await.status, 200);
}

/// A project and an environment of these names, which were there before such names were refused.
async fn from_before(app: &TestApp, project: &str, environment: &str) {
    let (project, at) = (id(project), app.clock.now());
    let event = |kind| NewEvent {
        kind,
        actor: Actor::System,
        origin: Origin::default(),
        at,
        projects: Some(ProjectScope::one(project.clone())),
        environment: None,
        subject: None,
        before: None,
        after: None,
    };
    let made = Project {
        id: project.clone(),
        name: ProjectName::new("old").expect("a name"),
        description: ProjectDescription::new("").expect("empty"),
        mode: ProjectMode::Open,
        created_at: at,
        updated_at: at,
        archived_at: None,
    };
    app.store.create_project(&made, &[], None, &event(EventKind::ProjectCreated)).await.expect("created");
    let name = environment.parse().expect("a name");
    let made = Environment { name, kind: EnvironmentKind::Test, sort_order: 9, enabled: true };
    app.store.create_environment(&made, &event(EventKind::EnvironmentCreated)).await.expect("created");
}

/// One letter in the escaped form leads past a fixed part of a path.
#[actix_web::test]
async fn what_paths_cannot_carry_is_listed_and_can_be_deleted_where_it_is_from_before() {
    let app = TestApp::new().await;
    for (project, tokens, environment, spelt) in [
        (".", "%2E", ".", "%2e"),
        ("..", "%2E%2E", "..", ".."),
        ("archive", "%61rchive", "sort-order", "sort%2Dorder"),
    ] {
        from_before(&app, project, environment).await;
        let projects = app.get(As::Root, "/api/admin/projects").await.json();
        assert!(projects["projects"].as_array().expect("a list").iter().any(|one| one["id"] == project));
        let environments = app.get(As::Root, "/api/admin/environments").await.json();
        let mut environments = environments["environments"].as_array().expect("a list").iter();
        assert!(environments.any(|one| one["name"] == environment));
        let tokens = app.get(As::Root, &format!("/api/admin/projects/{tokens}/api-tokens")).await;
        assert_eq!(tokens.json(), json!({"tokens": []}), "{project}");
        for path in [format!("projects/{project}"), format!("environments/{spelt}")] {
            assert_eq!(app.delete(As::Root, &format!("/api/admin/{path}")).await.status, 200, "{path}");
        }
    }
}

#[actix_web::test]
async fn signs_of_life_need_no_credentials() {
    let app = TestApp::new().await;
    for path in ["/health", "/ready", "/health/"] {
        let answer = app.get(As::Nobody, path).await;
        assert_eq!((answer.status.as_u16(), answer.json()["health"].as_str()), (200, Some("GOOD")), "{path}");
    }
    app.method(As::Nobody, Method::POST, "/health").await.is(405, "MethodNotAllowedError");
}
