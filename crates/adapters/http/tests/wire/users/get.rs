//! `GET …/user-admin/{id}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use super::{UNKNOWN_ID, path_of, user_json};
use crate::expectations::{ADMINS, faults, only};

#[actix_web::test]
async fn the_answer_is_the_user() {
    let app = TestApp::new().await;
    let answer = app.get(As::Admin, &path_of(4)).await;
    let expected = user_json(4, "Owner", 3, &answer.json()["imageUrl"]);
    assert_eq!((answer.status.as_u16(), answer.json()), (200, expected));
}

#[actix_web::test]
async fn an_unknown_user_is_not_found() {
    let app = TestApp::new().await;
    app.get(As::Admin, &path_of(UNKNOWN_ID)).await.is(404, "NotFoundError");
    app.get(As::Admin, &path_of(-1)).await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn a_service_account_is_no_user() {
    let app = TestApp::new().await;
    let body = json!({"username": "robot", "rootRole": 3});
    let id = app.post(As::Admin, "/api/admin/service-account", &body).await.json()["id"].as_i64();
    app.get(As::Admin, &path_of(id.expect("an id"))).await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn an_id_is_a_number() {
    let app = TestApp::new().await;
    for id in ["abc", "1.5", "99999999999999999999", "%31x"] {
        let answer = app.get(As::Admin, &format!("/api/admin/user-admin/{id}")).await;
        assert_eq!(faults(&answer), ["/params/id"], "{id}");
    }
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 200, || TestRequest::get().uri("/api/admin/user-admin/1")).await;
    app.get(As::Editor, "/api/admin/user-admin/abc").await.is(403, "NoAccessError");
}
