//! `PUT …/environments/{name}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::{DEVELOPMENT, ENVIRONMENTS};
use crate::expectations::{ADMINS, event_count, newest_event, only, refused_for};

#[actix_web::test]
async fn what_is_sent_changes_and_an_event_says_so() {
    let app = TestApp::new().await;
    let asked = json!({"name": "other", "type": "test", "enabled": false, "sortOrder": 9});
    let answer = app.put(As::Root, DEVELOPMENT, &asked).await;
    let expected = json!({
        "name": "development", "type": "test", "sortOrder": 9, "enabled": false, "protected": false,
        "requiredApprovals": null
    });
    assert_eq!((answer.status.as_u16(), answer.json()), (200, expected));
    let before = json!({"name": "development", "type": "development", "sortOrder": 2, "enabled": true});
    let after = json!({"name": "development", "type": "test", "sortOrder": 9, "enabled": false});
    let event = ("environment-updated".to_owned(), "root@example.com".to_owned(), before, after);
    assert_eq!(newest_event(&app).await, event);
}

#[actix_web::test]
async fn the_path_of_unleash_does_the_same() {
    let app = TestApp::new().await;
    let path = format!("{ENVIRONMENTS}/update/development");
    let answer = app.put(As::Root, &path, &json!({"type": "test"})).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["type"]), (200, &json!("test")));
    assert_eq!(app.get(As::Root, DEVELOPMENT).await.json(), answer.json());
    only(&app, ADMINS, 400, || TestRequest::put().uri(&path).set_json(json!({"type": "x"}))).await;
    let missing = format!("{ENVIRONMENTS}/update/nope");
    app.put(As::Admin, &missing, &json!({"type": "test"})).await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn what_is_absent_stays_and_a_change_to_nothing_new_is_none() {
    let app = TestApp::new().await;
    let (environment, before) = (app.get(As::Root, DEVELOPMENT).await.json(), event_count(&app).await);
    for asked in [json!({}), json!({"type": "development"}), json!({"enabled": null, "sortOrder": null})] {
        assert_eq!(app.put(As::Root, DEVELOPMENT, &asked).await.json(), environment, "{asked}");
    }
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let cases: &[(Value, &[&str])] = &[
        (json!([]), &[""]),
        (json!({"type": ""}), &["/type"]),
        (json!({"type": 1, "enabled": 2, "sortOrder": "3"}), &["/enabled", "/sortOrder", "/type"]),
    ];
    refused_for(&app, || TestRequest::put().uri(DEVELOPMENT), cases).await;
}

#[actix_web::test]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    for name in ["nope", "a%20b"] {
        let path = format!("{ENVIRONMENTS}/{name}");
        app.put(As::Admin, &path, &json!({"type": "test"})).await.is(404, "NotFoundError");
        app.put(As::Admin, &path, &json!({"type": "x"})).await.is(400, "BadDataError");
    }
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 400, || TestRequest::put().uri(DEVELOPMENT).set_json(json!({"type": "x"}))).await;
}
