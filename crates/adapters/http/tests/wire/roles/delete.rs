//! `DELETE …/roles/{id}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::{made, path_of, role};
use crate::expectations::{ADMINS, event_count, faults, newest_event, only};

#[actix_web::test]
async fn a_role_goes_and_an_event_says_so() {
    let app = TestApp::new().await;
    let id = made(&app, &role("Auditor", "custom", &[])).await;
    let answer = app.delete(As::Root, &path_of(id)).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    let before = json!({"id": id, "name": "Auditor", "type": "custom", "description": "", "permissions": []});
    let event = ("role-deleted".to_owned(), "root@example.com".to_owned(), before, Value::Null);
    assert_eq!(newest_event(&app).await, event);
    app.delete(As::Root, &path_of(id)).await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn one_that_is_held_stays() {
    let app = TestApp::new().await;
    let in_project = made(&app, &role("Auditor", "custom", &[])).await;
    let of_instance = made(&app, &role("Maker", "root-custom", &["CREATE_PROJECT"])).await;
    app.post(As::Root, "/api/admin/projects/default/access", &json!({"users": [3], "roles": [in_project]}))
        .await;
    app.put(As::Root, "/api/admin/user-admin/3", &json!({"rootRole": of_instance})).await;
    let before = event_count(&app).await;
    for id in [in_project, of_instance] {
        let answer = app.delete(As::Root, &path_of(id)).await;
        assert_eq!(faults(&answer), ["-"]);
        assert!(answer.json()["message"].as_str().expect("text").contains("in use"));
    }
    assert_eq!(event_count(&app).await, before);
    app.delete(As::Root, "/api/admin/user-admin/3").await;
    for id in [in_project, of_instance] {
        assert_eq!(app.delete(As::Root, &path_of(id)).await.status, 200);
    }
}

#[actix_web::test]
async fn the_built_in_ones_stay() {
    let app = TestApp::new().await;
    for id in 1..=5 {
        app.delete(As::Root, &path_of(id)).await.is(403, "OperationDeniedError");
    }
}

#[actix_web::test]
async fn an_id_is_a_number() {
    let app = TestApp::new().await;
    assert_eq!(faults(&app.delete(As::Admin, "/api/admin/roles/Admin").await), ["/params/id"]);
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 404, || TestRequest::delete().uri(&path_of(99))).await;
}
