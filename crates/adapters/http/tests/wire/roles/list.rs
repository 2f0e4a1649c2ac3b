//! `GET …/roles`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use super::{ROLES, made, role};
use crate::expectations::{SIGNED_IN, only};

#[actix_web::test]
async fn roles_come_by_id_without_their_permissions() {
    let app = TestApp::new().await;
    made(&app, &role("Auditor", "custom", &[])).await;
    let body = app.get(As::Viewer, ROLES).await.json();
    assert_eq!(body["version"], 1);
    let roles = body["roles"].as_array().expect("roles");
    let shown: Vec<_> = roles.iter().map(|role| json!([role["id"], role["name"], role["type"]])).collect();
    let expected = json!([
        [1, "Admin", "root"],
        [2, "Editor", "root"],
        [3, "Viewer", "root"],
        [4, "Owner", "project"],
        [5, "Member", "project"],
        [roles[5]["id"], "Auditor", "custom"],
    ]);
    assert_eq!(json!(shown), expected);
    let members: Vec<_> = roles[0].as_object().expect("a role").keys().collect();
    assert_eq!(members, ["description", "id", "name", "type"]);
}

#[actix_web::test]
async fn all_signed_in_clients_may() {
    let app = TestApp::new().await;
    only(&app, SIGNED_IN, 200, || TestRequest::get().uri(ROLES)).await;
}
