//! `GET /api/admin/user/roles`

use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use crate::expectations::faults;

const ROLES: &str = "/api/admin/user/roles";

#[actix_web::test]
async fn they_are_the_root_role_and_those_in_the_project() {
    let app = TestApp::new().await;
    let names = async |who, project: &str| -> Vec<Value> {
        let body = app.get(who, &format!("{ROLES}?projectId={project}")).await.json();
        let roles = body["roles"].as_array().expect("roles").clone();
        assert!(roles.iter().all(|role| role["project"] == project), "{roles:?}");
        roles.iter().map(|role| role["name"].clone()).collect()
    };
    assert_eq!(names(As::Member, "default").await, ["Viewer", "Member"]);
    assert_eq!(names(As::Member, "elsewhere").await, ["Viewer"]);
    assert_eq!(names(As::Root, "default").await, ["Admin"]);
    let body = app.get(As::Viewer, &format!("{ROLES}?projectId=default")).await.json();
    let viewer = json!({
        "id": 3, "name": "Viewer", "type": "root", "description": "May look around, but sees no tokens.",
        "project": "default"
    });
    assert_eq!(body, json!({"version": 1, "roles": [viewer]}));
}

#[actix_web::test]
async fn the_project_is_required() {
    let app = TestApp::new().await;
    for query in ["", "?projectId=", "?projectId=a%20b"] {
        assert_eq!(faults(&app.get(As::Viewer, &format!("{ROLES}{query}")).await), ["/query/projectId"]);
    }
}

#[actix_web::test]
async fn only_users_may() {
    let app = TestApp::new().await;
    let path = format!("{ROLES}?projectId=default");
    app.get(As::Anonymous, &path).await.is(401, "AuthenticationRequired");
    app.get(As::Admin, &path).await.is(403, "OperationDeniedError");
    app.get(As::Client, &path).await.is(403, "NoAccessError");
}
