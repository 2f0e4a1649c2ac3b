//! `DELETE …/environments/{environment}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::json;

use super::{ENVIRONMENTS, held};
use crate::expectations::{OWNERS, event_count, newest_events, only};

#[actix_web::test]
async fn the_project_does_not_have_it_then_and_its_tokens_stay() {
    let app = TestApp::new().await;
    let token = json!({"tokenName": "x", "type": "client", "environment": "production"});
    assert_eq!(app.post(As::Owner, TOKENS, &token).await.status, 201);
    let answer = app.delete(As::Owner, &format!("{ENVIRONMENTS}/production")).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!(held(&app).await, ["development"]);
    let event = newest_events(&app, 1).await.remove(0);
    let shown = json!([event["type"], event["project"], event["environment"]]);
    assert_eq!(shown, json!(["project-environment-removed", "default", "production"]));
    let tokens = app.get(As::Owner, TOKENS).await.json();
    assert_eq!(tokens["tokens"].as_array().expect("tokens").len(), 1);
}

#[actix_web::test]
async fn removing_an_absent_role_succeeds() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    for name in ["nope", "a%20b", "*"] {
        let answer = app.delete(As::Owner, &format!("{ENVIRONMENTS}/{name}")).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0), "{name}");
    }
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn a_project_that_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    for name in ["production", "a%20b"] {
        let path = format!("/api/admin/projects/nope/environments/{name}");
        app.delete(As::Editor, &path).await.is(404, "NotFoundError");
        app.delete(As::Owner, &path).await.is(403, "NoAccessError");
    }
}

#[actix_web::test]
async fn only_those_who_may_change_the_project_may() {
    let app = TestApp::new().await;
    let path = format!("{ENVIRONMENTS}/nope");
    only(&app, OWNERS, 200, || TestRequest::delete().uri(&path)).await;
}
