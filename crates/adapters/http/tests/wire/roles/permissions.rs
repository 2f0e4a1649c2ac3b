//! `GET /api/admin/permissions`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use crate::expectations::{SIGNED_IN, only};

const PATH: &str = "/api/admin/permissions";

#[actix_web::test]
async fn all_are_listed_by_where_they_are_held() {
    let app = TestApp::new().await;
    let body = app.get(As::Viewer, PATH).await.json();
    let environments = json!([
        {"name": "development", "permissions": []},
        {"name": "production", "permissions": []},
    ]);
    assert_eq!((&body["version"], &body["permissions"]["environments"]), (&json!(1), &environments));
    let first = json!({"id": 1, "name": "ADMIN", "displayName": "Administer everything", "type": "root"});
    assert_eq!(body["permissions"]["root"][0], first);
    let names = |kind: &str| -> Vec<Value> {
        let list = body["permissions"][kind].as_array().expect("a list");
        list.iter().map(|permission| json!([permission["id"], permission["name"]])).collect()
    };
    let project = json!([
        [42, "READ_PROJECT_API_TOKEN"],
        [43, "CREATE_PROJECT_API_TOKEN"],
        [44, "DELETE_PROJECT_API_TOKEN"],
        [13, "UPDATE_PROJECT"],
        [14, "DELETE_PROJECT"],
    ]);
    assert_eq!((names("root").len(), json!(names("project"))), (10, project));
}

#[actix_web::test]
async fn all_signed_in_clients_may() {
    let app = TestApp::new().await;
    only(&app, SIGNED_IN, 200, || TestRequest::get().uri(PATH)).await;
}
