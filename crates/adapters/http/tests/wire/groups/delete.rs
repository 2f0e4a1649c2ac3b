//! `DELETE …/groups/{groupId}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::{Value, json};

use super::{group, path_of};
use crate::expectations::{ADMINS, faults, newest_event, only};

#[actix_web::test]
async fn a_group_goes_with_the_rights_that_it_gave_and_an_event_says_so() {
    let app = TestApp::new().await;
    let id = group(&app, "Payments", &[3, 5]).await;
    let access = "/api/admin/projects/default/access";
    app.post(As::Root, access, &json!({"users": [], "groups": [id], "roles": [5]})).await;
    assert_eq!(app.get(As::Viewer, TOKENS).await.status, 200);
    let answer = app.delete(As::Root, &path_of(id)).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    app.get(As::Viewer, TOKENS).await.is(403, "NoAccessError");
    assert_eq!(app.get(As::Member, TOKENS).await.status, 200, "by a role of their own");
    let before = json!({
        "id": id, "name": "Payments", "description": "", "mappingsSSO": [], "rootRole": null, "users": [3, 5]
    });
    let event = ("group-deleted".to_owned(), "root@example.com".to_owned(), before, Value::Null);
    assert_eq!(newest_event(&app).await, event);
    assert_eq!(app.get(As::Root, access).await.json()["groups"], json!([]));
    app.delete(As::Root, &path_of(id)).await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    app.delete(As::Admin, &path_of(99)).await.is(404, "NotFoundError");
    assert_eq!(faults(&app.delete(As::Admin, "/api/admin/groups/x").await), ["/params/groupId"]);
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 404, || TestRequest::delete().uri(&path_of(99))).await;
}
