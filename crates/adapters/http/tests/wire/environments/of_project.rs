//! `GET …/environments/project/{projectId}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use crate::expectations::{SIGNED_IN, only};

const PATH: &str = "/api/admin/environments/project/default";

#[actix_web::test]
async fn all_are_listed_and_those_of_the_project_are_visible() {
    let app = TestApp::new().await;
    app.delete(As::Owner, "/api/admin/projects/default/environments/production").await;
    let body = app.get(As::Viewer, PATH).await.json();
    let expected = json!({
        "name": "production", "type": "production", "sortOrder": 3, "enabled": true, "protected": false,
        "requiredApprovals": null, "projectCount": 1, "apiTokenCount": 0, "projectApiTokenCount": 0,
        "visible": false
    });
    assert_eq!((&body["version"], &body["environments"][1]), (&json!(1), &expected));
    assert_eq!(body["environments"][0]["visible"], true);
}

#[actix_web::test]
async fn the_tokens_that_work_in_the_project_are_counted() {
    let app = TestApp::new().await;
    for projects in [json!(["default"]), json!(["elsewhere"]), json!(["default", "elsewhere"]), json!(["*"])]
    {
        let body = json!({"tokenName": "x", "type": "client", "projects": projects});
        assert_eq!(app.post(As::Admin, "/api/admin/api-tokens", &body).await.status, 201);
    }
    let development = &app.get(As::Viewer, PATH).await.json()["environments"][0];
    let shown = json!([development["name"], development["projectApiTokenCount"]]);
    assert_eq!(shown, json!(["development", 3]));
}

#[actix_web::test]
async fn a_project_that_one_does_not_see_is_not_found() {
    let app = TestApp::new().await;
    app.put(As::Owner, "/api/admin/projects/default", &json!({"mode": "private"})).await;
    app.get(As::Viewer, PATH).await.is(404, "NotFoundError");
    assert_eq!(app.get(As::Member, PATH).await.status, 200);
    app.get(As::Admin, "/api/admin/environments/project/nope").await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn all_signed_in_clients_may() {
    let app = TestApp::new().await;
    only(&app, SIGNED_IN, 200, || TestRequest::get().uri(PATH)).await;
}
