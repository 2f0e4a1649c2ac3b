//! `PUT …/environments/sort-order`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::ENVIRONMENTS;
use crate::expectations::{ADMINS, event_count, newest_event, only, refused_for};

const PATH: &str = "/api/admin/environments/sort-order";

async fn order(app: &TestApp) -> Vec<Value> {
    let body = app.get(As::Viewer, ENVIRONMENTS).await.json();
    body["environments"].as_array().expect("a list").iter().map(|one| one["name"].clone()).collect()
}

#[actix_web::test]
async fn environments_take_their_places() {
    let app = TestApp::new().await;
    let answer = app.put(As::Root, PATH, &json!({"development": 5, "production": -1})).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!(order(&app).await, ["production", "development"]);
    let data = json!({"development": 5, "production": -1});
    let event = ("environments-sorted".to_owned(), "root@example.com".to_owned(), Value::Null, data);
    assert_eq!(newest_event(&app).await, event);
}

#[actix_web::test]
async fn none_moves_where_one_is_not_there() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    app.put(As::Root, PATH, &json!({"development": 5, "nope": 1})).await.is(404, "NotFoundError");
    assert_eq!(
        (order(&app).await, event_count(&app).await),
        (vec![json!("development"), json!("production")], before)
    );
}

#[actix_web::test]
async fn the_order_that_is_there_is_no_change() {
    let app = TestApp::new().await;
    let asked = json!({"production": 7, "development": 8});
    app.put(As::Root, PATH, &asked).await;
    let before = event_count(&app).await;
    assert_eq!(
        (app.put(As::Root, PATH, &asked).await.status.as_u16(), event_count(&app).await),
        (200, before)
    );
}

#[actix_web::test]
async fn nothing_is_easily_done() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    assert_eq!(app.put(As::Root, PATH, &json!({})).await.status, 200);
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let cases: &[(Value, &[&str])] = &[
        (json!([1]), &[""]),
        (json!({"development": "5"}), &["/development"]),
        (json!({"development": null}), &["/development"]),
        (json!({"a b": 1, "development": 1.5}), &["/a b", "/development"]),
    ];
    refused_for(&app, || TestRequest::put().uri(PATH), cases).await;
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 400, || TestRequest::put().uri(PATH).set_json(json!([]))).await;
}
