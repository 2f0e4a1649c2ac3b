//! `POST …/user-admin/validate-password`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use crate::expectations::{SIGNED_IN, event_count, only, refused_for};

const PATH: &str = "/api/admin/user-admin/validate-password";

#[actix_web::test]
async fn a_good_password_is_accepted_and_not_stored() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    let answer = app.post(As::Viewer, PATH, &json!({"password": "An0ther!Passw0rd"})).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn a_weak_one_is_refused() {
    let app = TestApp::new().await;
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/password"]),
        (json!({"password": 1}), &["/password"]),
        (json!({"password": "short"}), &["/password"]),
        (json!({"password": "aaaaaaaaaa"}), &["/password"]),
    ];
    refused_for(&app, || TestRequest::post().uri(PATH), cases).await;
}

#[actix_web::test]
async fn all_signed_in_clients_may() {
    let app = TestApp::new().await;
    only(&app, SIGNED_IN, 200, || {
        TestRequest::post().uri(PATH).set_json(json!({"password": "a good horse"}))
    })
    .await;
}

#[actix_web::test]
async fn it_takes_nothing_else() {
    let app = TestApp::new().await;
    let answer = app.get(As::Admin, PATH).await;
    answer.is(405, "MethodNotAllowedError");
    assert_eq!(answer.header("allow"), Some("POST"));
}
