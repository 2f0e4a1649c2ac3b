//! `GET …/user-admin/admin-count`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use super::USERS;
use crate::expectations::{ADMINS, only};

const PATH: &str = "/api/admin/user-admin/admin-count";

#[actix_web::test]
async fn admins_are_counted_by_how_they_come_in() {
    let app = TestApp::new().await;
    assert_eq!(app.get(As::Root, PATH).await.json(), json!({"password": 1, "noPassword": 0, "service": 0}));
    app.post(As::Admin, USERS, &json!({"username": "a", "rootRole": 1})).await;
    app.post(As::Admin, "/api/admin/service-account", &json!({"username": "b", "rootRole": 1})).await;
    assert_eq!(app.get(As::Root, PATH).await.json(), json!({"password": 1, "noPassword": 1, "service": 1}));
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 200, || TestRequest::get().uri(PATH)).await;
}
