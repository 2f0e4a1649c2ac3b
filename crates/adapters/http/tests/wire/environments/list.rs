//! `GET …/environments`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::json;

use super::ENVIRONMENTS;
use crate::expectations::{SIGNED_IN, only};

#[actix_web::test]
async fn environments_come_in_their_order_with_how_much_they_are_used() {
    let app = TestApp::new().await;
    app.post(As::Member, TOKENS, &json!({"tokenName": "x", "type": "client", "environment": "production"}))
        .await;
    let body = app.get(As::Viewer, ENVIRONMENTS).await.json();
    let expected = json!({"version": 1, "environments": [
        {
            "name": "development", "type": "development", "sortOrder": 2, "enabled": true, "protected": false,
            "requiredApprovals": null, "projectCount": 2, "apiTokenCount": 2
        },
        {
            "name": "production", "type": "production", "sortOrder": 3, "enabled": true, "protected": false,
            "requiredApprovals": null, "projectCount": 2, "apiTokenCount": 1
        },
    ]});
    assert_eq!(body, expected);
}

#[actix_web::test]
async fn all_signed_in_clients_may() {
    let app = TestApp::new().await;
    only(&app, SIGNED_IN, 200, || TestRequest::get().uri(ENVIRONMENTS)).await;
}
