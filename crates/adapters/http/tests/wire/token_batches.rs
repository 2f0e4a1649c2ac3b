//! `POST …/api-tokens/batch`, of a project and of the instance.

use actix_web::{http::Method, test::TestRequest};
use latchkey_testkit::{
    app::{As, NOW, QUOTA, TOKENS, TestApp},
    token_json::token_json,
};
use serde_json::{Value, json};

use crate::{
    expectations::{ADMINS, READERS, event_count, faults, newest_events, only, refused_for},
    instance_tokens::{ALL, named},
};

const OF_PROJECT: &str = "/api/admin/projects/default/api-tokens/batch";
const OF_INSTANCE: &str = "/api/admin/api-tokens/batch";
const BOTH: [&str; 2] = [OF_PROJECT, OF_INSTANCE];

fn client(name: &str) -> Value {
    json!({"tokenName": name, "type": "client"})
}

fn batch(tokens: impl IntoIterator<Item = Value>) -> Value {
    json!({"tokens": tokens.into_iter().collect::<Vec<_>>()})
}

fn clients(count: u64) -> Value {
    batch((0..count).map(|number| client(&format!("t{number}"))))
}

#[actix_web::test]
async fn the_answer_has_the_tokens_in_order_and_each_has_an_event() {
    for (path, projects, prefix) in [(OF_PROJECT, "default", "default:"), (OF_INSTANCE, "*", "*:")] {
        let app = TestApp::new().await;
        let before = event_count(&app).await;
        let described =
            json!({"tokenName": "c", "type": "frontend", "environment": "production", "description": "d"});
        let ends = json!({"username": "b", "type": "BACKEND", "expiresAt": "2030-01-01T00:00:00Z"});
        let answer = app.post(As::Root, path, &batch([client("z"), ends, described])).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (201, Some("api-tokens")));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let body = answer.json();
        let tokens = body["tokens"].as_array().expect("tokens");
        let secret = |index: usize| tokens[index]["secret"].as_str().expect("text");
        assert!((0..3).all(|index| secret(index).starts_with(prefix)), "{body}");
        let expected = [
            token_json("z", secret(0), NOW).with_projects(&[projects]),
            token_json("b", secret(1), NOW)
                .with_projects(&[projects])
                .with("expiresAt", "2030-01-01T00:00:00.000Z"),
            token_json("c", secret(2), NOW)
                .with_projects(&[projects])
                .with("type", "frontend")
                .with("environment", "production")
                .with("description", "d"),
        ];
        assert!(tokens.iter().eq(expected.iter()), "{body}");
        for (token, name) in tokens.iter().zip(["z", "b", "c"]) {
            assert_eq!(named(&app, name).await, std::slice::from_ref(token));
            let called =
                app.send_by(token["secret"].as_str().expect("text"), TestRequest::get().uri(ALL)).await;
            called.is(403, "NoAccessError");
        }
        let events = newest_events(&app, 3).await;
        assert_eq!(event_count(&app).await - before, 3);
        let of = |event: &Value| (event["type"].clone(), event["data"]["tokenName"].clone());
        let created = |name: &str| (json!("api-token-created"), json!(name));
        assert_eq!(events.iter().map(of).collect::<Vec<_>>(), ["c", "b", "z"].map(created));
        assert!(!json!(events).to_string().contains(secret(0)), "a secret is in an event");
    }
}

#[actix_web::test]
async fn lists_show_a_batch_in_its_order() {
    let app = TestApp::without_quota().await;
    assert_eq!(app.post(As::Root, OF_PROJECT, &clients(50)).await.status, 201);
    let listed = app.get(As::Root, TOKENS).await.json();
    let names: Vec<_> =
        listed["tokens"].as_array().expect("tokens").iter().map(|one| &one["tokenName"]).collect();
    assert_eq!(
        names,
        (0..50).map(|number| json!(format!("t{number}"))).collect::<Vec<_>>().iter().collect::<Vec<_>>()
    );
}

#[actix_web::test]
async fn problems_are_reported_at_their_entries_and_nothing_is_created() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    let both = json!({"tokenName": "a", "username": "b", "type": "client"});
    let bad = json!({"tokenName": "", "type": "robot", "expiresAt": "soon"});
    for path in BOTH {
        let request = || TestRequest::post().uri(path);
        let cases: &[(Value, &[&str])] = &[
            (json!({}), &["/tokens"]),
            (json!({"tokens": null}), &["/tokens"]),
            (json!({"tokens": {}}), &["/tokens"]),
            (batch([]), &["/tokens"]),
            (clients(1_001), &["/tokens"]),
            (batch([client("a"), json!("x"), json!(null)]), &["/tokens/1", "/tokens/2"]),
            (batch([client("a"), json!({})]), &["/tokens/1/tokenName", "/tokens/1/type"]),
            (batch([both.clone(), client("a")]), &["/tokens/0/username"]),
            (
                batch([client("a"), client("b"), client("c"), bad.clone()]),
                &["/tokens/3/tokenName", "/tokens/3/type", "/tokens/3/expiresAt"],
            ),
            (
                batch([client("a"), json!({"tokenName": "b", "type": "client", "environment": "nosuch"})]),
                &["/tokens/1/environment"],
            ),
        ];
        refused_for(&app, request, cases).await;
    }
    let elsewhere = json!({"tokenName": "b", "type": "client", "projects": ["elsewhere"]});
    let answer = app.post(As::Root, OF_PROJECT, &batch([client("a"), elsewhere])).await;
    assert_eq!(faults(&answer), ["/body/tokens/1/projects"]);
    let admin = json!({"tokenName": "b", "type": "admin"});
    assert_eq!(faults(&app.post(As::Root, OF_PROJECT, &batch([admin])).await), ["/body/tokens/0/type"]);
    for projects in [json!([]), json!(["nosuch"])] {
        let token = json!({"tokenName": "b", "type": "client", "projects": projects});
        let answer = app.post(As::Root, OF_INSTANCE, &batch([client("a"), token])).await;
        assert_eq!(faults(&answer), ["/body/tokens/1/projects"]);
    }
    assert_eq!((event_count(&app).await, named(&app, "a").await), (before, vec![]));
}

#[actix_web::test]
async fn a_body_beyond_its_size_is_refused_and_a_thousand_tokens_are_not() {
    let app = TestApp::without_quota().await;
    assert_eq!(app.post(As::Root, OF_INSTANCE, &clients(1_000)).await.status, 201);
    let long = json!({"tokenName": "x", "type": "client", "description": "d".repeat(1_000)});
    let answer = app.post(As::Root, OF_INSTANCE, &batch(vec![long; 1_000])).await;
    answer.is(413, "PayloadTooLargeError");
}

#[actix_web::test]
async fn the_limit_counts_the_whole_batch() {
    let app = TestApp::new().await;
    let listed = app.get(As::Root, ALL).await.json();
    let all = listed["tokens"].as_array().expect("tokens");
    let of_all_projects = all.iter().filter(|token| token["project"] == "*").count();
    let room = QUOTA - u64::try_from(of_all_projects).expect("few");
    for (path, room) in [(OF_PROJECT, QUOTA), (OF_INSTANCE, room)] {
        app.post(As::Root, path, &clients(room + 1)).await.is(400, "ExceedsLimitError");
        assert_eq!(app.post(As::Root, path, &clients(room)).await.status, 201);
        app.post(As::Root, path, &clients(1)).await.is(400, "ExceedsLimitError");
    }
}

#[actix_web::test]
async fn an_unknown_project_is_not_found() {
    let app = TestApp::new().await;
    let path = "/api/admin/projects/nosuch/api-tokens/batch";
    app.post(As::Root, path, &clients(2)).await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn it_needs_the_permission_to_create_each() {
    let app = TestApp::without_quota().await;
    only(&app, READERS, 201, || TestRequest::post().uri(OF_PROJECT).set_json(clients(2))).await;
    only(&app, ADMINS, 201, || TestRequest::post().uri(OF_INSTANCE).set_json(clients(2))).await;
    let before = event_count(&app).await;
    let holder = app.holder_of(&["CREATE_CLIENT_API_TOKEN"]).await;
    let both = batch([client("a"), json!({"tokenName": "b", "type": "frontend"})]);
    let created = event_count(&app).await - before;
    let answer = app.send_by(&holder, TestRequest::post().uri(OF_INSTANCE).set_json(&both)).await;
    answer.is(403, "OperationDeniedError");
    assert_eq!(answer.json()["details"][0]["path"], "/body/tokens/1");
    assert_eq!(event_count(&app).await - before, created, "the first was not created either");
    let one = app.send_by(&holder, TestRequest::post().uri(OF_INSTANCE).set_json(clients(2))).await;
    assert_eq!(one.status, 201);
}

/// `batch` is also a name that a token can have.
#[actix_web::test]
async fn other_methods_of_the_path_are_about_a_token_of_that_name() {
    let app = TestApp::new().await;
    assert_eq!(app.post(As::Root, ALL, &client("batch")).await.status, 201);
    let found = app.get(As::Root, OF_INSTANCE).await.json();
    assert_eq!(found["tokens"][0]["tokenName"], "batch");
    assert_eq!(app.delete(As::Root, OF_INSTANCE).await.status, 200);
    app.get(As::Root, OF_PROJECT).await.is(404, "NotFoundError");
    app.delete(As::Root, OF_PROJECT).await.is(404, "NotFoundError");
    app.method(As::Root, Method::TRACE, OF_INSTANCE).await.is(405, "MethodNotAllowedError");
}
