//! `GET …/environments/{name}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use super::DEVELOPMENT;
use crate::expectations::{SIGNED_IN, faults, only};

#[actix_web::test]
async fn the_answer_is_the_environment() {
    let app = TestApp::new().await;
    let expected = json!({
        "name": "development", "type": "development", "sortOrder": 2, "enabled": true, "protected": false,
        "requiredApprovals": null
    });
    assert_eq!(app.get(As::Viewer, DEVELOPMENT).await.json(), expected);
}

#[actix_web::test]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    for name in ["nope", "Development", "a%20b", "*"] {
        app.get(As::Viewer, &format!("/api/admin/environments/{name}")).await.is(404, "NotFoundError");
    }
    assert_eq!(faults(&app.get(As::Viewer, "/api/admin/environments/%FF").await), ["/params/name"]);
}

#[actix_web::test]
async fn all_signed_in_clients_may() {
    let app = TestApp::new().await;
    only(&app, SIGNED_IN, 200, || TestRequest::get().uri(DEVELOPMENT)).await;
}
