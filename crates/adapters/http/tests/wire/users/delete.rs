//! `DELETE …/user-admin/{id}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::{UNKNOWN_ID, path_of};
use crate::expectations::{ADMINS, event_count, faults, newest_event, only};

#[actix_web::test]
async fn a_user_goes_with_all_credentials() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Owner").await;
    let me = || TestRequest::get().uri("/api/admin/user").insert_header(("cookie", cookie.clone()));
    assert_eq!(app.send(As::Anonymous, me()).await.status, 200);
    let answer = app.delete(As::Root, &path_of(4)).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    let before =
        json!({"id": 4, "username": "Owner", "email": "owner@example.com", "name": null, "rootRole": 3});
    let event = ("user-deleted".to_owned(), "root@example.com".to_owned(), before, Value::Null);
    assert_eq!(newest_event(&app).await, event);
    app.send(As::Anonymous, me()).await.is(401, "AuthenticationRequired");
    app.get(As::Owner, "/api/admin/user").await.is(401, "UnauthorizedError");
    let access = app.get(As::Root, "/api/admin/projects/default/access").await.json();
    assert_eq!(access["users"].as_array().expect("users").len(), 1, "no member any more");
    let again = json!({"username": "Owner", "email": "owner@example.com", "rootRole": 3});
    assert_eq!(app.post(As::Root, "/api/admin/user-admin", &again).await.status, 201, "the names are free");
}

#[actix_web::test]
async fn a_second_deletion_is_not_found() {
    let app = TestApp::new().await;
    assert_eq!(app.delete(As::Admin, &path_of(4)).await.status, 200);
    let before = event_count(&app).await;
    app.delete(As::Admin, &path_of(4)).await.is(404, "NotFoundError");
    app.delete(As::Admin, &path_of(UNKNOWN_ID)).await.is(404, "NotFoundError");
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn the_last_admin_stays() {
    let app = TestApp::new().await;
    app.delete(As::Root, &path_of(1)).await.is(403, "OperationDeniedError");
    app.delete(As::Admin, &path_of(1)).await.is(403, "OperationDeniedError");
    app.put(As::Root, &path_of(3), &json!({"rootRole": 1})).await;
    assert_eq!(app.delete(As::Root, &path_of(1)).await.status, 200);
    app.get(As::Root, "/api/admin/user").await.is(401, "UnauthorizedError");
}

#[actix_web::test]
async fn an_id_is_a_number() {
    let app = TestApp::new().await;
    assert_eq!(faults(&app.delete(As::Admin, "/api/admin/user-admin/abc").await), ["/params/id"]);
}

#[actix_web::test]
async fn a_request_body_is_ignored() {
    let app = TestApp::new().await;
    let request =
        TestRequest::delete().uri(&path_of(4)).set_payload("{").insert_header(("content-type", "x/y"));
    assert_eq!(app.send(As::Admin, request).await.status, 200);
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 404, || TestRequest::delete().uri(&path_of(UNKNOWN_ID))).await;
}
