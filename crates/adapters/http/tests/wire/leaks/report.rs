//! `POST /api/admin/leaked-tokens`

use actix_web::test::TestRequest;
use latchkey_domain::{LeakAction, ProjectScope, TokenAccess, TokenKind};
use latchkey_testkit::{
    app::{As, TestApp},
    samples::{access, project_id},
};
use serde_json::{Value, json};

use crate::expectations::{ADMINS, faults, only};

const PATH: &str = "/api/admin/leaked-tokens";

async fn report(app: &TestApp, tokens: Value) -> Value {
    let answer = app.post(As::Root, PATH, &json!({ "tokens": tokens })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["tokens"].take()
}

/// Returns the events of these kinds, oldest first.
async fn events(app: &TestApp, kinds: &[&str]) -> Vec<Value> {
    let all = app.get(As::Root, "/api/admin/events").await.json();
    let all = all["events"].as_array().expect("events").iter().rev();
    all.filter(|event| kinds.iter().any(|kind| event["type"] == *kind)).cloned().collect()
}

fn shop() -> TokenAccess {
    access(TokenKind::Client, ProjectScope::one(project_id("elsewhere")))
}

#[actix_web::test]
async fn a_live_token_gets_an_event_that_tells_where_it_was_found() {
    let app = TestApp::new().await;
    let (secret, id) = app.token_and_id(shop()).await;
    let url = format!("https://example.com/?token={secret}");
    let answer =
        report(&app, json!([{"token": secret, "url": url, "source": "commit"}, {"token": "*:*.nothing"}]))
            .await;
    assert_eq!(
        answer,
        json!([
            {"live": true, "id": id, "name": "given", "type": "client", "projects": ["elsewhere"],
                "environment": "development", "action": "nothing"},
            {"live": false},
        ])
    );
    let events = events(&app, &["api-token-leaked"]).await;
    let [event] = events.as_slice() else { panic!("one event: {events:?}") };
    let shown = format!("{}…", &secret[..secret.len() - 36]);
    assert_eq!(
        event["data"]["leak"],
        json!({"url": format!("https://example.com/?token={shown}"), "source": "commit", "action": "nothing"})
    );
    assert_eq!(
        (&event["data"]["id"], &event["preData"], &event["project"]),
        (&json!(id), &Value::Null, &json!("elsewhere"))
    );
    assert_eq!(event["label"], "API token leaked");
    assert_eq!(event["summary"], "**root@example.com** reported the leak of API token **given**");
    assert!(!event.to_string().contains(&secret[secret.len() - 36..]));
    assert_eq!(
        app.send_by(&secret, TestRequest::get().uri("/auth/verify")).await.status,
        200,
        "it is still valid"
    );
}

#[actix_web::test]
async fn personal_tokens_leak_too() {
    let app = TestApp::new().await;
    let viewer = app.user_of(As::Viewer).await;
    let secret = app.secret_of(As::Viewer).expect("a secret").to_owned();
    let answer = report(&app, json!([{"token": secret}])).await;
    assert_eq!(
        answer,
        json!([{"live": true, "id": answer[0]["id"], "name": "test", "type": "personal", "userId": viewer.id.0, "action": "nothing"}])
    );
    let events = events(&app, &["pat-leaked"]).await;
    let [event] = events.as_slice() else { panic!("one event: {events:?}") };
    assert_eq!(event["data"]["leak"], json!({"url": null, "source": null, "action": "nothing"}));
    assert_eq!(event["summary"], "**root@example.com** reported the leak of personal access token **test**");
}

#[actix_web::test]
async fn a_policy_revokes_what_has_leaked() {
    let app = TestApp::with(|settings| settings.use_cases.leaks = LeakAction::Revoke).await;
    let (secret, id) = app.token_and_id(shop()).await;
    let personal = app.secret_of(As::Viewer).expect("a secret").to_owned();
    let tokens = json!([{"token": secret, "url": "https://a"}, {"token": secret, "url": "https://b"}, {"token": personal}]);
    let answer = report(&app, tokens.clone()).await;
    for entry in answer.as_array().expect("a list") {
        assert_eq!((&entry["live"], &entry["action"]), (&json!(true), &json!("revoke")));
    }
    assert_eq!(answer[1]["id"], id);
    let kinds = ["api-token-leaked", "pat-leaked", "api-token-deleted", "pat-deleted"];
    let told: Vec<_> = events(&app, &kinds).await.iter().map(|event| event["type"].clone()).collect();
    assert_eq!(
        told,
        ["api-token-leaked", "api-token-leaked", "pat-leaked", "api-token-deleted", "pat-deleted"]
    );
    for secret in [&secret, &personal] {
        assert_eq!(app.send_by(secret, TestRequest::get().uri("/api/admin/user")).await.status, 401);
    }
    let again = report(&app, tokens).await;
    assert_eq!(again, json!([{"live": false}, {"live": false}, {"live": false}]));
    assert_eq!(events(&app, &kinds).await.len(), 5);
}

#[actix_web::test]
async fn only_administrators_report() {
    let app = TestApp::new().await;
    let body = json!({"tokens": [{"token": "unknown"}]});
    only(&app, ADMINS, 200, || TestRequest::post().uri(PATH).set_json(&body)).await;
}

#[actix_web::test]
async fn a_malformed_report_is_refused_with_its_places() {
    let app = TestApp::new().await;
    let entry = json!({"token": "x"});
    for (body, places) in [
        (json!({}), vec!["/body/tokens"]),
        (json!({"tokens": []}), vec!["/body/tokens"]),
        (json!({"tokens": vec![entry.clone(); 1_001]}), vec!["/body/tokens"]),
        (json!({"tokens": [entry, {}, {"token": []}]}), vec!["/body/tokens/1/token", "/body/tokens/2/token"]),
        (json!({"tokens": [entry, {"token": "a b"}]}), vec!["/body/tokens/1/token"]),
    ] {
        let answer = app.post(As::Root, PATH, &body).await;
        assert_eq!(faults(&answer), places, "{places:?}");
    }
    assert_eq!(events(&app, &["api-token-leaked"]).await, Vec::<Value>::new());
}
