//! `DELETE …/projects/{projectId}`

use actix_web::test::TestRequest;
use latchkey_domain::{ProjectScope, ProjectSet, TokenKind};
use latchkey_testkit::{
    app::{As, TestApp},
    samples::{access, project_id},
};
use serde_json::{Value, json};

use super::{DEFAULT, PROJECTS, made, seen};
use crate::expectations::{event_count, newest_events, only};

const INSTANCE_TOKENS: &str = "/api/admin/api-tokens";

/// Returns what the token of this secret may reach, or null.
async fn valid(app: &TestApp, secret: &str) -> Value {
    let body = json!({"tokens": [secret]});
    app.post(As::Anonymous, "/edge/validate", &body).await.json()["tokens"][0].clone()
}

#[actix_web::test]
async fn tokens_are_revoked_or_lose_just_this_project_each_with_an_event() {
    let app = TestApp::new().await;
    made(&app, As::Admin, &json!({"id": "doomed", "name": "Doomed"})).await;
    let doomed = project_id("doomed");
    let both = ProjectSet::new(vec![project_id("default"), doomed.clone()]).expect("a set");
    let alone = app.token(access(TokenKind::Client, ProjectScope::one(doomed))).await;
    let shared = app.token(access(TokenKind::Frontend, ProjectScope::Only(both))).await;
    let all = app.token(access(TokenKind::Client, ProjectScope::All)).await;
    let answer = app.delete(As::Root, "/api/admin/projects/doomed").await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));

    assert_eq!(valid(&app, &alone).await, Value::Null, "refused at once");
    assert_eq!(valid(&app, &shared).await["projects"], json!(["default"]), "never wider");
    assert_eq!(valid(&app, &all).await["projects"], json!(["*"]));
    let events = newest_events(&app, 3).await;
    let shown: Vec<_> = events
        .iter()
        .map(|event| {
            json!([
                event["type"],
                event["createdBy"],
                event["project"],
                event["preData"]["projects"],
                event["data"]["projects"]
            ])
        })
        .collect();
    let expected = json!([
        ["project-deleted", "root@example.com", "doomed", null, null],
        ["api-token-updated", "root@example.com", "default,doomed", ["default", "doomed"], ["default"]],
        ["api-token-deleted", "root@example.com", "doomed", ["doomed"], null],
    ]);
    assert_eq!(json!(shown), expected);
    let data =
        json!({"id": "doomed", "name": "Doomed", "description": "", "mode": "open", "archivedAt": null});
    assert_eq!((&events[0]["preData"], &events[0]["data"]), (&data, &Value::Null));
    let tokens = app.get(As::Root, INSTANCE_TOKENS).await.json();
    let scopes: Vec<_> =
        tokens["tokens"].as_array().expect("tokens").iter().map(|one| &one["project"]).collect();
    assert!(
        !scopes.iter().any(|scope| scope.as_str().is_some_and(|text| text.contains("doomed"))),
        "{scopes:?}"
    );
}

#[actix_web::test]
async fn nothing_of_it_is_left_but_its_events() {
    let app = TestApp::new().await;
    assert_eq!(app.delete(As::Editor, "/api/admin/projects/elsewhere").await.status, 200);
    assert_eq!(seen(&app, As::Admin, "").await, ["default"]);
    app.get(As::Admin, "/api/admin/projects/elsewhere").await.is(404, "NotFoundError");
    app.get(As::MemberElsewhere, "/api/admin/projects/elsewhere/api-tokens").await.is(403, "NoAccessError");
    let events = app.get(As::Admin, "/api/admin/projects/elsewhere/events").await.json();
    assert_eq!(events["events"][0]["type"], "project-deleted");
    let again = made(&app, As::Admin, &json!({"name": "elsewhere"})).await;
    assert_eq!((&again["memberCount"], &again["apiTokenCount"]), (&json!(0), &json!(0)));
}

#[actix_web::test]
async fn a_second_deletion_is_not_found() {
    let app = TestApp::new().await;
    app.delete(As::Editor, "/api/admin/projects/elsewhere").await;
    let before = event_count(&app).await;
    for project in ["elsewhere", "nope", "a%20b"] {
        app.delete(As::Editor, &format!("{PROJECTS}/{project}")).await.is(404, "NotFoundError");
        app.delete(As::Owner, &format!("{PROJECTS}/{project}")).await.is(403, "NoAccessError");
    }
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn the_default_project_stays() {
    let app = TestApp::new().await;
    for who in [As::Admin, As::Root, As::Editor, As::Owner] {
        let answer = app.delete(who, DEFAULT).await;
        answer.is(403, "OperationDeniedError");
        assert_eq!(answer.json()["message"], "The default project cannot be deleted.");
    }
    app.delete(As::Member, DEFAULT).await.is(403, "NoAccessError");
}

#[actix_web::test]
async fn only_those_who_may_delete_the_project_may() {
    let app = TestApp::new().await;
    let project = json!({"users": [4], "roles": [4]});
    app.post(As::Root, "/api/admin/projects/elsewhere/access", &project).await;
    only(&app, &[As::Editor, As::Root, As::Admin], 404, || {
        TestRequest::delete().uri("/api/admin/projects/nope")
    })
    .await;
    app.delete(As::MemberElsewhere, "/api/admin/projects/elsewhere").await.is(403, "NoAccessError");
    assert_eq!(app.delete(As::Owner, "/api/admin/projects/elsewhere").await.status, 200);
}
