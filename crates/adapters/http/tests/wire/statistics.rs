//! `GET /api/admin/instance-admin/statistics`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use crate::expectations::{SIGNED_IN, only};

const PATH: &str = "/api/admin/instance-admin/statistics";

#[actix_web::test]
async fn everything_is_counted() {
    let app = TestApp::new().await;
    let role = json!({"name": "Auditor", "type": "root-custom", "permissions": []});
    app.post(As::Root, "/api/admin/roles", &role).await;
    app.post(As::Root, "/api/admin/service-account", &json!({"username": "bot", "rootRole": 3})).await;
    app.post(As::Root, "/api/admin/projects/archive/elsewhere", &json!({})).await;
    let before = app.get(As::Root, PATH).await.json();
    let token = json!({"tokenName": "x", "type": "frontend"});
    assert_eq!(app.post(As::Root, "/api/admin/api-tokens", &token).await.status, 201);
    let body = app.get(As::Viewer, PATH).await.json();
    let frontend = before["apiTokens"]["frontend"].as_u64().expect("a number");
    assert_eq!(body["apiTokens"]["frontend"], frontend + 1);
    assert_eq!(
        body,
        json!({
            "versionOSS": "7.6.5",
            "users": 6, "serviceAccounts": 1, "projects": 2, "environments": 2, "roles": 6, "customRootRoles": 1,
            "apiTokens": {
                "admin": before["apiTokens"]["admin"],
                "client": before["apiTokens"]["client"],
                "frontend": frontend + 1,
            },
        })
    );
}

#[actix_web::test]
async fn all_signed_in_clients_may() {
    let app = TestApp::new().await;
    only(&app, SIGNED_IN, 200, || TestRequest::get().uri(PATH)).await;
}
