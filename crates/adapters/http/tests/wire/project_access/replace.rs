//! `PUT …/users/{userId}/roles`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::{Value, json};

use super::{ACCESS, held, path_of, role};
use crate::expectations::{OWNERS, event_count, faults, newest_events, only, refused_for};

#[actix_web::test]
async fn the_roles_take_the_place_of_those_held() {
    let app = TestApp::new().await;
    let answer = app.put(As::Owner, &path_of(5), &json!({"roles": [4]})).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!(held(&app, 5).await, json!([4]));
    let event = newest_events(&app, 1).await.remove(0);
    assert_eq!(
        (&event["type"], &event["project"]),
        (&json!("project-access-user-roles-updated"), &json!("default"))
    );
    let (before, after) = (json!({"userId": 5, "roles": [5]}), json!({"userId": 5, "roles": [4]}));
    assert_eq!((&event["preData"], &event["data"]), (&before, &after));
}

#[actix_web::test]
async fn a_user_without_roles_can_be_given_some() {
    let app = TestApp::new().await;
    assert_eq!(app.put(As::Owner, &path_of(3), &json!({"roles": [5]})).await.status, 200);
    assert_eq!(app.get(As::Viewer, TOKENS).await.status, 200);
}

#[actix_web::test]
async fn no_role_takes_all_away() {
    let app = TestApp::new().await;
    assert_eq!(app.put(As::Owner, &path_of(5), &json!({"roles": []})).await.status, 200);
    assert_eq!(held(&app, 5).await, Value::Null);
    app.get(As::Member, TOKENS).await.is(403, "NoAccessError");
    let event = newest_events(&app, 1).await.remove(0);
    assert_eq!(event["type"], "project-access-user-roles-deleted");
    assert_eq!((&event["preData"]["roles"], &event["data"]), (&json!([5]), &Value::Null));
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/roles"]),
        (json!({"roles": null}), &["/roles"]),
        (json!({"roles": 4}), &["/roles"]),
        (json!({"roles": [null]}), &["/roles"]),
        (json!({"roles": [1]}), &["/roles"]),
        (json!({"roles": [4, 99]}), &["/roles"]),
    ];
    refused_for(&app, || TestRequest::put().uri(&path_of(5)), cases).await;
    assert_eq!(held(&app, 5).await, json!([5]));
}

#[actix_web::test]
async fn a_caller_cannot_grant_permissions_that_the_caller_lacks() {
    let app = TestApp::new().await;
    let keeper = role(&app, "Keeper", &["UPDATE_PROJECT"]).await;
    app.post(As::Root, ACCESS, &json!({"users": [3], "roles": [keeper]})).await;
    app.put(As::Viewer, &path_of(3), &json!({"roles": [4]})).await.is(403, "NoAccessError");
    app.put(As::Owner, &path_of(3), &json!({"roles": [4]})).await;
    assert_eq!(held(&app, 3).await, json!([4]), "an owner may");
}

#[actix_web::test]
async fn an_unknown_user_is_not_found() {
    let app = TestApp::new().await;
    let body = json!({"roles": [5]});
    app.put(As::Owner, &path_of(99), &body).await.is(404, "NotFoundError");
    let elsewhere = "/api/admin/projects/nope/users/3/roles";
    app.put(As::Owner, elsewhere, &body).await.is(403, "NoAccessError");
    app.put(As::Editor, elsewhere, &body).await.is(404, "NotFoundError");
    let answer = app.put(As::Owner, "/api/admin/projects/default/users/x/roles", &body).await;
    assert_eq!(faults(&answer), ["/params/userId"]);
}

#[actix_web::test]
async fn only_those_who_may_change_the_project_may() {
    let app = TestApp::new().await;
    only(&app, OWNERS, 400, || TestRequest::put().uri(&path_of(3)).set_json(json!({}))).await;
}

#[actix_web::test]
async fn what_is_held_already_is_no_change() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    for (user, roles) in [(5, json!([5])), (3, json!([]))] {
        let answer = app.put(As::Owner, &path_of(user), &json!({ "roles": roles })).await;
        assert_eq!((answer.status.as_u16(), event_count(&app).await), (200, before), "{user}");
    }
    app.put(As::Owner, &path_of(99), &json!({"roles": []})).await.is(404, "NotFoundError");
}
