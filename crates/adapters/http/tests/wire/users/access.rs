//! `GET …/user-admin/access`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use crate::expectations::{SIGNED_IN, only};

const PATH: &str = "/api/admin/user-admin/access";

#[actix_web::test]
async fn users_and_service_accounts_come_by_id() {
    let app = TestApp::new().await;
    app.post(As::Admin, "/api/admin/service-account", &json!({"username": "bot", "rootRole": 3})).await;
    let body = app.get(As::Viewer, PATH).await.json();
    let ids: Vec<_> = body["users"].as_array().expect("users").iter().map(|user| &user["id"]).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(body["groups"], json!([]));
    let members: Vec<_> = body["users"][6].as_object().expect("a user").keys().collect();
    assert_eq!(members, ["accountType", "id", "imageUrl", "username"]);
}

#[actix_web::test]
async fn all_signed_in_clients_may() {
    let app = TestApp::new().await;
    only(&app, SIGNED_IN, 200, || TestRequest::get().uri(PATH)).await;
}
