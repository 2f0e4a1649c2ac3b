//! `GET …/roles/{id}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use super::path_of;
use crate::expectations::{SIGNED_IN, faults, only};

#[actix_web::test]
async fn the_answer_is_the_role_with_its_permissions() {
    let app = TestApp::new().await;
    let body = app.get(As::Viewer, &path_of(1)).await.json();
    let expected = json!({
        "id": 1, "name": "Admin", "type": "root", "description": "May do everything.",
        "permissions": [{"id": 1, "name": "ADMIN", "displayName": "Administer everything", "type": "root"}]
    });
    assert_eq!(body, expected);
    let owner = app.get(As::Viewer, &path_of(4)).await.json();
    assert_eq!(owner["permissions"].as_array().expect("permissions").len(), 5);
}

#[actix_web::test]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    app.get(As::Viewer, &path_of(99)).await.is(404, "NotFoundError");
    assert_eq!(faults(&app.get(As::Viewer, "/api/admin/roles/Admin").await), ["/params/id"]);
}

#[actix_web::test]
async fn all_signed_in_clients_may() {
    let app = TestApp::new().await;
    only(&app, SIGNED_IN, 200, || TestRequest::get().uri("/api/admin/roles/5")).await;
}
