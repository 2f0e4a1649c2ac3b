//! Paths and methods.

use actix_web::http::Method;
use latchkey_domain::{
    Actor, Environment, EnvironmentKind, EventKind, NewEvent, Origin, Project, ProjectDescription,
    ProjectMode, ProjectName, ProjectScope,
};
use latchkey_ports::Clock;
use latchkey_testkit::{
    app::{As, TOKENS, TestApp},
    samples::project_id,
};
use serde_json::json;

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
    ] {
        app.get(As::Admin, path).await.is(404, "NotFoundError");
    }
}

#[actix_web::test]
async fn only_authenticated_clients_learn_which_api_paths_exist() {
    let app = TestApp::new().await;
    app.get(As::Anonymous, "/api/nosuch").await.is(401, "AuthenticationRequired");
    app.method(As::Anonymous, Method::PUT, TOKENS).await.is(401, "AuthenticationRequired");
    app.method(As::Anonymous, Method::OPTIONS, TOKENS).await.is(401, "AuthenticationRequired");
    app.get(As::Anonymous, "/nosuch").await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn other_methods_are_refused_with_those_that_there_are() {
    let app = TestApp::new().await;
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = app.method(As::Admin, method, TOKENS).await;
        answer.is(405, "MethodNotAllowedError");
        assert_eq!(answer.header("allow"), Some("GET,HEAD,POST"));
    }
    for (path, allow) in [
        ("user/sessions/x", "DELETE"),
        ("user-admin/1", "GET,HEAD,PUT,DELETE"),
        ("api-tokens/x/rotate", "POST"),
    ] {
        let answer = app.method(As::Admin, Method::PATCH, &format!("/api/admin/{path}")).await;
        answer.is(405, "MethodNotAllowedError");
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
    }
    // Where a fixed name is also the parameter of another path, the methods of both.
    for (path, allow) in [
        ("api-tokens/batch", "GET,HEAD,PUT,PATCH,DELETE,POST"),
        ("projects/default/api-tokens/batch", "GET,HEAD,PATCH,DELETE,POST"),
    ] {
        let path = format!("/api/admin/{path}");
        assert_eq!(
            app.method(As::Admin, Method::OPTIONS, &path).await.header("allow"),
            Some(allow),
            "{path}"
        );
        let answer = app.method(As::Admin, Method::TRACE, &path).await;
        answer.is(405, "MethodNotAllowedError");
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
        app.method(As::Anonymous, Method::OPTIONS, &path).await.is(401, "AuthenticationRequired");
    }
    let answer = app.method(As::Admin, Method::OPTIONS, TOKENS).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, &b"GET,HEAD,POST"[..]));
    assert_eq!(app.method(As::Admin, Method::HEAD, TOKENS).await.status, 200);
}

/// Stores a project and an environment of these names, which were created before such names were refused.
async fn from_before(app: &TestApp, project: &str, environment: &str) {
    let (project, at) = (project_id(project), app.clock.now());
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

/// A path segment with one escaped letter is not taken for a fixed segment.
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
async fn an_environment_from_before_may_be_named_like_the_path_of_updates() {
    let app = TestApp::new().await;
    from_before(&app, "a", "update").await;
    let path = "/api/admin/environments/update";
    assert_eq!(app.post(As::Root, &format!("{path}/off"), &json!({})).await.status, 204);
    assert_eq!(app.get(As::Root, path).await.json()["enabled"], false);
    assert_eq!(app.put(As::Root, path, &json!({"enabled": true})).await.status, 200);
    assert_eq!(app.get(As::Root, path).await.json()["enabled"], true);
    assert_eq!(app.put(As::Root, &format!("{path}/update"), &json!({"type": "test"})).await.status, 200);
}

#[actix_web::test]
async fn signs_of_life_need_no_credentials() {
    let app = TestApp::new().await;
    for path in ["/health", "/ready", "/health/"] {
        let answer = app.get(As::Anonymous, path).await;
        assert_eq!((answer.status.as_u16(), answer.json()["health"].as_str()), (200, Some("GOOD")), "{path}");
    }
    app.method(As::Anonymous, Method::POST, "/health").await.is(405, "MethodNotAllowedError");
}
