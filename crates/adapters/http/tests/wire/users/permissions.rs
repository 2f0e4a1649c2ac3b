//! `GET …/user-admin/{id}/permissions`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::{UNKNOWN_ID, path_of};
use crate::expectations::{ADMINS, faults, only};

fn permissions_of(id: i64) -> String {
    format!("{}/permissions", path_of(id))
}

/// Returns the names of the permissions that the user holds.
fn held(overview: &Value) -> Vec<String> {
    let permissions = overview.as_array().expect("permissions").iter();
    let held = permissions.filter(|permission| permission["hasPermission"] == true);
    held.map(|permission| permission["name"].as_str().expect("a name").to_owned()).collect()
}

#[actix_web::test]
async fn the_answer_has_all_permissions_and_the_roles_that_give_some() {
    let app = TestApp::new().await;
    let body = app.get(As::Root, &format!("{}?project=default", permissions_of(5))).await.json();
    assert_eq!(body["user"], app.get(As::Root, &path_of(5)).await.json());
    let names = [&body["rootRole"]["name"], &body["projectRoles"][0]["name"]];
    assert_eq!(names, [&json!("Viewer"), &json!("Member")]);
    let project = ["READ_PROJECT_API_TOKEN", "CREATE_PROJECT_API_TOKEN", "DELETE_PROJECT_API_TOKEN"];
    assert_eq!(held(&body["overview"]["project"]), project);
    assert_eq!(held(&body["overview"]["root"]), [""; 0]);
    let first = json!({
        "id": 42, "name": "READ_PROJECT_API_TOKEN", "displayName": "Read the project's API tokens",
        "type": "project", "hasPermission": true
    });
    assert_eq!((&body["overview"]["project"][0], &body["overview"]["environment"]), (&first, &json!([])));
}

#[actix_web::test]
async fn a_permission_counts_where_it_is_held() {
    let app = TestApp::new().await;
    for (user, query, count) in
        [(5, "?project=elsewhere", 0), (5, "", 0), (2, "", 5), (2, "?project=default", 5), (1, "", 5)]
    {
        let body = app.get(As::Root, &format!("{}{query}", permissions_of(user))).await.json();
        assert_eq!(held(&body["overview"]["project"]).len(), count, "{user}{query}");
        assert_eq!(body["projectRoles"], json!([]), "{user}{query}");
    }
    let admin = app.get(As::Root, &permissions_of(1)).await.json();
    assert_eq!(held(&admin["overview"]["root"]).len(), 10, "an Admin holds all");
}

#[actix_web::test]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    app.get(As::Root, &permissions_of(UNKNOWN_ID)).await.is(404, "NotFoundError");
    let answer = app.get(As::Root, &format!("{}?project=a%20b", permissions_of(1))).await;
    assert_eq!(faults(&answer), ["/query/project"]);
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 200, || TestRequest::get().uri(&permissions_of(1))).await;
}
