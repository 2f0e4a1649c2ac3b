//! `PUT …/projects/{projectId}/access`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::{Value, json};

use super::{ACCESS, held, held_by_group, role};
use crate::{
    expectations::{OWNERS, event_count, newest_events, only, refused_for},
    groups::group,
};

#[actix_web::test]
async fn the_members_take_the_place_of_all_others() {
    let app = TestApp::new().await;
    let asked = json!({"roles": [
        {"id": 4, "users": [4, 3], "groups": []},
        {"id": "Member", "users": [3]},
        {"id": 5, "users": []},
    ]});
    let before = event_count(&app).await;
    let answer = app.put(As::Owner, ACCESS, &asked).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!(
        (held(&app, 3).await, held(&app, 4).await, held(&app, 5).await),
        (json!([4, 5]), json!([4]), Value::Null)
    );
    app.get(As::Member, TOKENS).await.is(403, "NoAccessError");
    assert_eq!(app.get(As::Viewer, TOKENS).await.status, 200, "at once");
    assert_eq!(event_count(&app).await, before + 1);
    let event = newest_events(&app, 1).await.remove(0);
    assert_eq!((&event["type"], &event["project"]), (&json!("project-access-updated"), &json!("default")));
    let of = |role: i64, users: &[i64]| json!({"roleId": role, "groupIds": [], "userIds": users});
    let (before, after) = (json!([of(4, &[4]), of(5, &[5])]), json!([of(4, &[3, 4]), of(5, &[3])]));
    assert_eq!((&event["preData"]["roles"], &event["data"]["roles"]), (&before, &after));
}

#[actix_web::test]
async fn the_same_members_are_no_change() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    let asked = json!({"roles": [{"id": 4, "users": [4]}, {"id": 5, "users": [5, 5]}]});
    assert_eq!(app.put(As::Owner, ACCESS, &asked).await.status, 200);
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn a_project_can_have_no_members() {
    let app = TestApp::new().await;
    let id = group(&app, "Payments", &[3]).await;
    app.post(As::Owner, ACCESS, &json!({"users": [], "groups": [id], "roles": [5]})).await;
    assert_eq!(app.put(As::Admin, ACCESS, &json!({"roles": []})).await.status, 200);
    let access = app.get(As::Admin, ACCESS).await.json();
    assert_eq!((&access["users"], &access["groups"]), (&json!([]), &json!([])));
    app.get(As::Viewer, TOKENS).await.is(403, "NoAccessError");
}

#[actix_web::test]
async fn groups_take_the_place_of_all_others_beside_users() {
    let app = TestApp::new().await;
    let (payments, search) = (group(&app, "Payments", &[3]).await, group(&app, "Search", &[6]).await);
    app.post(As::Owner, ACCESS, &json!({"users": [], "groups": [search], "roles": [4]})).await;
    app.get(As::Viewer, TOKENS).await.is(403, "NoAccessError");
    assert_eq!(app.get(As::MemberElsewhere, TOKENS).await.status, 200);
    let before = event_count(&app).await;
    let asked = json!({"roles": [
        {"id": 4, "users": [4], "groups": null},
        {"id": "Member", "users": [], "groups": [payments, payments]},
    ]});
    let answer = app.put(As::Owner, ACCESS, &asked).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!((held(&app, 4).await, held(&app, 5).await), (json!([4]), Value::Null));
    assert_eq!(held_by_group(&app, payments).await, json!([5]));
    assert_eq!(held_by_group(&app, search).await, Value::Null);
    assert_eq!(app.get(As::Viewer, TOKENS).await.status, 200, "at once");
    app.get(As::MemberElsewhere, TOKENS).await.is(403, "NoAccessError");
    assert_eq!(event_count(&app).await, before + 1);
    let event = newest_events(&app, 1).await.remove(0);
    let of = |role: i64, users: &[i64], groups: &[i64]| json!({"roleId": role, "groupIds": groups, "userIds": users});
    let (before, after) = (
        json!([of(4, &[4], &[search]), of(5, &[5], &[])]),
        json!([of(4, &[4], &[]), of(5, &[], &[payments])]),
    );
    assert_eq!((&event["preData"]["roles"], &event["data"]["roles"]), (&before, &after));
    let before = event_count(&app).await;
    assert_eq!(app.put(As::Owner, ACCESS, &asked).await.status, 200);
    assert_eq!(event_count(&app).await, before, "the same again is no change");
}

#[actix_web::test]
async fn every_member_has_its_rule_and_nothing_changes() {
    let app = TestApp::new().await;
    let before = app.get(As::Admin, ACCESS).await.json();
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/roles"]),
        (json!({"roles": null}), &["/roles"]),
        (json!({"roles": [4]}), &["/roles"]),
        (json!({"roles": [{"users": [3]}]}), &["/roles"]),
        (json!({"roles": [{"id": 4, "users": ["x"]}]}), &["/roles"]),
        (json!({"roles": [{"id": 4, "users": [3], "groups": ["x"]}]}), &["/roles"]),
        (json!({"roles": [{"id": 4, "users": [3], "groups": [99]}]}), &["/roles"]),
        (json!({"roles": [{"id": 1, "users": [3]}]}), &["/roles"]),
        (json!({"roles": [{"id": 4, "users": [3]}, {"id": 99, "users": [3]}]}), &["/roles"]),
        (json!({"roles": [{"id": 4, "users": [3, 99]}]}), &["/roles"]),
    ];
    refused_for(&app, || TestRequest::put().uri(ACCESS), cases).await;
    assert_eq!(app.get(As::Admin, ACCESS).await.json(), before);
}

#[actix_web::test]
async fn a_caller_cannot_grant_permissions_that_the_caller_lacks() {
    let app = TestApp::new().await;
    let keeper = role(&app, "Keeper", &["UPDATE_PROJECT"]).await;
    app.post(As::Root, ACCESS, &json!({"users": [3], "roles": [keeper]})).await;
    let id = group(&app, "Payments", &[3]).await;
    for holder in [json!({"id": 4, "users": [3]}), json!({"id": 5, "groups": [id]})] {
        app.put(As::Viewer, ACCESS, &json!({ "roles": [holder] })).await.is(403, "NoAccessError");
    }
    assert_eq!(held(&app, 4).await, json!([4]), "nothing changed");
    assert_eq!(held_by_group(&app, id).await, Value::Null);
}

#[actix_web::test]
async fn only_those_who_may_change_the_project_may() {
    let app = TestApp::new().await;
    only(&app, OWNERS, 400, || TestRequest::put().uri(ACCESS).set_json(json!({}))).await;
    let elsewhere = "/api/admin/projects/nope/access";
    app.put(As::Editor, elsewhere, &json!({"roles": []})).await.is(404, "NotFoundError");
}
