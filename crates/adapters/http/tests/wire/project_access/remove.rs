//! `DELETE …/users/{userId}/roles`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::{Value, json};

use super::{held, path_of};
use crate::expectations::{OWNERS, event_count, faults, newest_events, only};

#[actix_web::test]
async fn a_member_loses_all_roles() {
    let app = TestApp::new().await;
    app.put(As::Root, &path_of(5), &json!({"roles": [4, 5]})).await;
    let answer = app.delete(As::Owner, &path_of(5)).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!(held(&app, 5).await, Value::Null);
    app.get(As::Member, TOKENS).await.is(403, "NoAccessError");
    let event = newest_events(&app, 1).await.remove(0);
    assert_eq!(event["type"], "project-access-user-roles-deleted");
    assert_eq!((&event["preData"], &event["data"]), (&json!({"userId": 5, "roles": [4, 5]}), &Value::Null));
}

#[actix_web::test]
async fn the_last_owner_may_go() {
    let app = TestApp::new().await;
    assert_eq!(app.delete(As::Owner, &path_of(4)).await.status, 200);
    app.delete(As::Owner, &path_of(5)).await.is(403, "NoAccessError");
}

#[actix_web::test]
async fn a_user_without_a_role_here_is_not_found() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    for user in [3, 6, 99] {
        app.delete(As::Owner, &path_of(user)).await.is(404, "NotFoundError");
    }
    let elsewhere = "/api/admin/projects/nope/users/5/roles";
    app.delete(As::Editor, elsewhere).await.is(404, "NotFoundError");
    app.delete(As::Owner, elsewhere).await.is(403, "NoAccessError");
    let answer = app.delete(As::Owner, "/api/admin/projects/default/users/x/roles").await;
    assert_eq!(faults(&answer), ["/params/userId"]);
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn only_those_who_may_change_the_project_may() {
    let app = TestApp::new().await;
    only(&app, OWNERS, 404, || TestRequest::delete().uri(&path_of(99))).await;
}
