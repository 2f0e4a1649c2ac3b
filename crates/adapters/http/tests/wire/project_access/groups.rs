//! Groups in `…/access`, and `PUT` and `DELETE …/groups/{groupId}/roles`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, NOW, TOKENS, TestApp};
use serde_json::{Value, json};

use super::{ACCESS, held, held_by_group, role};
use crate::{
    expectations::{OWNERS, event_count, faults, newest_events, only, refused_for},
    groups::group,
};

fn path_of(group: i64) -> String {
    format!("/api/admin/projects/default/groups/{group}/roles")
}

#[actix_web::test]
async fn a_group_is_given_roles_beside_users() {
    let app = TestApp::new().await;
    let id = group(&app, "Payments", &[3, 6]).await;
    let answer =
        app.post(As::Owner, ACCESS, &json!({"users": [5], "groups": [id, id], "roles": [5, 4]})).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!((held(&app, 5).await, held_by_group(&app, id).await), (json!([4, 5]), json!([4, 5])));
    assert_eq!(held(&app, 3).await, Value::Null, "a member by the group alone is not listed as a user");
    for who in [As::Viewer, As::MemberElsewhere] {
        assert_eq!(app.get(who, TOKENS).await.status, 200, "it counts at once");
    }
    let event = newest_events(&app, 1).await.remove(0);
    let expected = json!({"roles": [
        {"roleId": 5, "groupIds": [id], "userIds": [5]},
        {"roleId": 4, "groupIds": [id], "userIds": [5]},
    ]});
    assert_eq!((&event["type"], &event["data"]), (&json!("project-access-added"), &expected));
    let before = event_count(&app).await;
    app.post(As::Owner, ACCESS, &json!({"users": [], "groups": [id], "roles": [5]})).await;
    assert_eq!(event_count(&app).await, before, "held already");
}

#[actix_web::test]
async fn a_group_is_shown_with_its_members_and_its_roles() {
    let app = TestApp::new().await;
    let id = group(&app, "Payments", &[3]).await;
    app.put(As::Owner, &path_of(id), &json!({"roles": [5]})).await;
    let shown = app.get(As::Owner, ACCESS).await.json()["groups"][0].clone();
    let mut expected = app.get(As::Root, &format!("/api/admin/groups/{id}")).await.json();
    expected["addedAt"] = json!(NOW);
    expected["roleId"] = json!(5);
    expected["roles"] = json!([5]);
    assert_eq!(shown, expected);
    assert_eq!(shown["projects"], json!(["default"]));
    let all = app.get(As::Viewer, "/api/admin/user-admin/access").await.json();
    assert_eq!(all["groups"], json!([{"id": id, "name": "Payments", "userCount": 1}]));
}

#[actix_web::test]
async fn roles_are_replaced_and_taken_away() {
    let app = TestApp::new().await;
    let id = group(&app, "Payments", &[3]).await;
    let set = async |roles: Value| {
        let answer = app.put(As::Owner, &path_of(id), &json!({ "roles": roles })).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
        let event = newest_events(&app, 1).await.remove(0);
        (event["type"].clone(), event["preData"].clone(), event["data"].clone())
    };
    let state = |roles: Value| json!({"groupId": id, "roles": roles});
    let (updated, deleted) =
        (json!("project-access-group-roles-updated"), json!("project-access-group-roles-deleted"));
    assert_eq!(set(json!([5])).await, (updated.clone(), state(json!([])), state(json!([5]))));
    assert_eq!(app.get(As::Viewer, TOKENS).await.status, 200);
    assert_eq!(set(json!([4, 4])).await, (updated, state(json!([5])), state(json!([4]))));
    assert_eq!(held_by_group(&app, id).await, json!([4]));
    assert_eq!(set(json!([])).await, (deleted.clone(), state(json!([4])), Value::Null));
    app.get(As::Viewer, TOKENS).await.is(403, "NoAccessError");

    set(json!([5])).await;
    let answer = app.delete(As::Owner, &path_of(id)).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!(newest_events(&app, 1).await[0]["type"], deleted);
    assert_eq!(held_by_group(&app, id).await, Value::Null);
    app.get(As::Viewer, TOKENS).await.is(403, "NoAccessError");
    app.delete(As::Owner, &path_of(id)).await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn a_group_does_not_lend_what_the_caller_lacks() {
    let app = TestApp::new().await;
    let id = group(&app, "Payments", &[3]).await;
    let keeper = role(&app, "Keeper", &["UPDATE_PROJECT"]).await;
    app.post(As::Root, ACCESS, &json!({"users": [3], "roles": [keeper]})).await;
    for given in [4, 5] {
        let asked = json!({"users": [], "groups": [id], "roles": [keeper, given]});
        app.post(As::Viewer, ACCESS, &asked).await.is(403, "NoAccessError");
        app.put(As::Viewer, &path_of(id), &json!({"roles": [given]})).await.is(403, "NoAccessError");
    }
    assert_eq!(held_by_group(&app, id).await, Value::Null);
    assert_eq!(app.put(As::Viewer, &path_of(id), &json!({"roles": [keeper]})).await.status, 200);
    // By the group, the member holds what the owner gave to it, and may give that.
    assert_eq!(app.put(As::Owner, &path_of(id), &json!({"roles": [4]})).await.status, 200);
    assert_eq!(app.put(As::Viewer, &path_of(id), &json!({"roles": [4, 5]})).await.status, 200);
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let id = group(&app, "Payments", &[3]).await;
    let before = event_count(&app).await;
    let cases: &[(Value, &[&str])] = &[
        (json!({"users": [], "groups": [], "roles": [5]}), &["/users"]),
        (json!({"users": [], "groups": [99], "roles": [5]}), &["/groups"]),
        (json!({"users": [], "groups": [id, 99], "roles": [5]}), &["/groups"]),
        (json!({"users": [3], "groups": ["x"], "roles": [5]}), &["/groups"]),
        (json!({"users": [3], "groups": id, "roles": [5]}), &["/groups"]),
        (json!({"users": [], "groups": vec![id; 1_001], "roles": [5]}), &["/groups"]),
        (json!({"users": [], "groups": [id], "roles": [2]}), &["/roles"]),
    ];
    refused_for(&app, || TestRequest::post().uri(ACCESS), cases).await;
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/roles"]),
        (json!({"roles": [1]}), &["/roles"]),
        (json!({"roles": [5, 99]}), &["/roles"]),
    ];
    refused_for(&app, || TestRequest::put().uri(&path_of(id)), cases).await;
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn an_unknown_group_is_not_found() {
    let app = TestApp::new().await;
    let id = group(&app, "Payments", &[3]).await;
    for roles in [json!([5]), json!([])] {
        let answer = app.put(As::Owner, &path_of(99), &json!({ "roles": roles })).await;
        answer.is(404, "NotFoundError");
        assert_eq!(answer.json()["message"], "No group found.");
    }
    app.delete(As::Owner, &path_of(99)).await.is(404, "NotFoundError");
    let elsewhere = format!("/api/admin/projects/nope/groups/{id}/roles");
    app.put(As::Owner, &elsewhere, &json!({"roles": [5]})).await.is(403, "NoAccessError");
    app.put(As::Editor, &elsewhere, &json!({"roles": [5]})).await.is(404, "NotFoundError");
    app.delete(As::Editor, &elsewhere).await.is(404, "NotFoundError");
    let answer =
        app.put(As::Owner, "/api/admin/projects/default/groups/x/roles", &json!({"roles": [5]})).await;
    assert_eq!(faults(&answer), ["/params/groupId"]);
}

#[actix_web::test]
async fn only_those_who_may_change_the_project_may() {
    let app = TestApp::new().await;
    only(&app, OWNERS, 400, || TestRequest::put().uri(&path_of(9)).set_json(json!({}))).await;
    only(&app, OWNERS, 404, || TestRequest::delete().uri(&path_of(9))).await;
}
