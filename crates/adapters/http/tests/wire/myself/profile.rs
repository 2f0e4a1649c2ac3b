//! `GET /api/admin/user/profile`

use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

const PROFILE: &str = "/api/admin/user/profile";

#[actix_web::test]
async fn it_has_the_root_role_and_the_projects_that_one_sees() {
    let app = TestApp::new().await;
    let private = json!({"id": "hidden", "name": "Hidden", "mode": "private"});
    assert_eq!(app.post(As::Admin, "/api/admin/projects", &private).await.status, 201);
    assert_eq!(
        app.get(As::Viewer, PROFILE).await.json(),
        json!({
            "projects": ["default", "elsewhere"],
            "rootRole": {
                "id": 3, "name": "Viewer", "type": "root", "description": "May look around, but sees no tokens."
            },
            "subscriptions": [], "features": []
        })
    );
    let root = app.get(As::Root, PROFILE).await.json();
    assert_eq!(root["projects"], json!(["default", "elsewhere", "hidden"]));
    assert_eq!(root["rootRole"]["name"], "Admin");
}

#[actix_web::test]
async fn only_users_may() {
    let app = TestApp::new().await;
    app.get(As::Anonymous, PROFILE).await.is(401, "AuthenticationRequired");
    app.get(As::Admin, PROFILE).await.is(403, "OperationDeniedError");
    app.get(As::Frontend, PROFILE).await.is(403, "NoAccessError");
}
