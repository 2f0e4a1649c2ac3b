//! `GET …/projects/{projectId}` and `…/overview`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use super::{DEFAULT, made};
use crate::expectations::{SIGNED_IN, faults, only};

const OVERVIEW: &str = "/api/admin/projects/default/overview";

#[actix_web::test]
async fn both_answer_the_project_with_its_environments() {
    let app = TestApp::new().await;
    let expected = json!({
        "version": 1, "id": "default", "name": "Default", "description": "Default project",
        "createdAt": "2023-04-19T08:15:14.000Z", "updatedAt": "2023-04-19T08:15:14.000Z", "archivedAt": null,
        "mode": "open", "memberCount": 2, "members": 2, "apiTokenCount": 0,
        "environments": [{"environment": "development"}, {"environment": "production"}]
    });
    for path in [DEFAULT, OVERVIEW] {
        assert_eq!(app.get(As::Viewer, path).await.json(), expected, "{path}");
    }
}

#[actix_web::test]
async fn an_archived_project_can_still_be_read() {
    let app = TestApp::new().await;
    app.post(As::Root, "/api/admin/projects/archive/elsewhere", &json!({})).await;
    let body = app.get(As::Viewer, "/api/admin/projects/elsewhere").await.json();
    assert_eq!(body["archivedAt"], "2023-04-19T08:15:14.000Z");
}

#[actix_web::test]
async fn a_private_project_is_not_found_by_users_without_a_role_in_it() {
    let app = TestApp::new().await;
    made(&app, As::Admin, &json!({"id": "hidden", "name": "Hidden", "mode": "private"})).await;
    app.post(As::Root, "/api/admin/projects/hidden/access", &json!({"users": [6], "roles": [5]})).await;
    for rest in ["", "/overview"] {
        let path = format!("/api/admin/projects/hidden{rest}");
        for who in [As::Viewer, As::Member, As::Owner] {
            let (hidden, absent) =
                (app.get(who, &path).await, app.get(who, &path.replace("hidden", "absent")).await);
            hidden.is(404, "NotFoundError");
            let message = |body: serde_json::Value| body["message"].as_str().expect("text").to_owned();
            assert_eq!(message(hidden.json()).replace("hidden", "absent"), message(absent.json()));
        }
        for who in [As::MemberElsewhere, As::Editor, As::Root, As::Admin] {
            assert_eq!(app.get(who, &path).await.status, 200, "{who:?}");
        }
    }
}

#[actix_web::test]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    for project in ["nope", "a%20b", "Default", "%F0%9F%8E%89"] {
        for rest in ["", "/overview"] {
            let answer = app.get(As::Admin, &format!("/api/admin/projects/{project}{rest}")).await;
            answer.is(404, "NotFoundError");
        }
    }
    for project in ["%FF", "a%00b"] {
        let answer = app.get(As::Admin, &format!("/api/admin/projects/{project}")).await;
        assert_eq!(faults(&answer), ["/params/projectId"], "{project}");
    }
}

#[actix_web::test]
async fn all_signed_in_clients_may() {
    let app = TestApp::new().await;
    for path in [DEFAULT, OVERVIEW] {
        only(&app, SIGNED_IN, 200, || TestRequest::get().uri(path)).await;
    }
}
