//! How often tokens are used.

use std::time::Duration;

use actix_web::test::TestRequest;
use latchkey_domain::{ProjectScope, TokenAccess, TokenKind};
use latchkey_testkit::{
    app::{As, TOKENS, TestApp},
    samples::{access, project_id},
};
use serde_json::{Value, json};

use crate::{expectations::faults, instance_tokens::ALL};

/// The clock of the tests stands at this hour.
const HOUR: &str = "2023-04-19T08:00:00.000Z";
const OF_PROJECT: &str = "/api/admin/projects/default/usage";
const OF_INSTANCE: &str = "/api/admin/usage";

async fn client_token(app: &TestApp) -> (String, String) {
    app.token_and_id(access(TokenKind::Client, ProjectScope::one(project_id("default")))).await
}

/// Verifies a token from an address, and returns the status.
async fn verify(app: &TestApp, secret: &str, query: &str, address: &str) -> u16 {
    let peer = format!("{address}:1").parse().expect("an address");
    let request = TestRequest::get().uri(&format!("/auth/verify{query}")).peer_addr(peer);
    app.send_by(secret, request).await.status.as_u16()
}

async fn usage(app: &TestApp, path: &str) -> Value {
    app.use_cases.flush_usage().await.expect("written");
    let answer = app.get(As::Root, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.json());
    answer.json()
}

#[actix_web::test]
async fn uses_of_a_token_are_counted_by_hour_and_outcome() {
    let app = TestApp::new().await;
    let (secret, id) = client_token(&app).await;
    for (query, status) in
        [("", 200), ("?project=default", 200), ("?project=x", 403), ("?scope=a", 403), ("?type=x", 400)]
    {
        assert_eq!(verify(&app, &secret, query, "192.0.2.1").await, status, "{query}");
    }
    app.clock.advance(Duration::from_secs(3_600));
    app.use_cases.follow_changes().await.expect("followed");
    assert_eq!(verify(&app, &secret, "", "192.0.2.2").await, 200);
    let expected = json!({
        "from": "2023-04-18T10:00:00.000Z",
        "to": "2023-04-19T10:00:00.000Z",
        "per": "hour",
        "usage": [
            { "at": HOUR, "verified": 2, "refused": { "missing_scope": 1, "wrong_project": 1 } },
            { "at": "2023-04-19T09:00:00.000Z", "verified": 1, "refused": {} },
        ],
        "lastUsedAt": "2023-04-19T09:15:14.000Z",
        "addresses": [
            { "address": "192.0.2.2", "seenAt": "2023-04-19T09:15:14.000Z" },
            { "address": "192.0.2.1", "seenAt": "2023-04-19T08:15:14.000Z" },
        ],
    });
    for path in [format!("{TOKENS}/{id}/usage"), format!("{ALL}/{id}/usage"), format!("{ALL}/{secret}/usage")]
    {
        assert_eq!(usage(&app, &path).await, expected, "{path}");
    }
    let by_day = usage(&app, &format!("{TOKENS}/{id}/usage?per=day&from=2023-04-19T00:00:00Z")).await;
    assert_eq!(
        by_day["usage"],
        json!([{ "at": "2023-04-19T00:00:00.000Z", "verified": 3, "refused": { "missing_scope": 1, "wrong_project": 1 } }])
    );
    assert_eq!(by_day["to"], "2023-04-20T00:00:00.000Z");
}

#[actix_web::test]
async fn every_way_to_use_a_token_counts_once() {
    let app = TestApp::new().await;
    let (secret, id) = client_token(&app).await;
    let (admin, admin_id) = app.token_and_id(TokenAccess::Admin).await;
    let question = json!({ "token": secret, "project": "x", "ip": "198.51.100.7" });
    assert_eq!(
        app.send_by(&admin, TestRequest::post().uri("/api/verify").set_json(question)).await.status,
        200
    );
    for (path, body) in [
        ("/edge/validate", json!({ "tokens": [secret] })),
        ("/edge/metrics", json!({ "seenTokens": [secret] })),
    ] {
        assert!(app.send_by(&admin, TestRequest::post().uri(path).set_json(body)).await.status.is_success());
    }
    let form = TestRequest::post().uri("/oauth2/introspect").set_form([("token", &secret)]);
    assert_eq!(app.send_by(&admin, form).await.status, 200);
    assert_eq!(app.send_by(&admin, TestRequest::get().uri(ALL)).await.status, 200);
    assert_eq!(app.send_by(&secret, TestRequest::get().uri(ALL)).await.status, 403);
    let told = usage(&app, &format!("{ALL}/{id}/usage")).await;
    assert_eq!(told["usage"], json!([{ "at": HOUR, "verified": 4, "refused": { "wrong_project": 1 } }]));
    let addresses: Vec<_> =
        told["addresses"].as_array().expect("a list").iter().map(|seen| &seen["address"]).collect();
    assert_eq!(addresses, ["198.51.100.7"], "Edge and the program that asks are no users of the token");
    let told = usage(&app, &format!("{ALL}/{admin_id}/usage")).await;
    assert_eq!(
        told["usage"],
        json!([{ "at": HOUR, "verified": 4, "refused": {} }]),
        "/edge/validate asks for no credentials"
    );
}

#[actix_web::test]
async fn refused_uses_are_counted_and_are_no_last_use() {
    let app = TestApp::new().await;
    let (secret, id) = client_token(&app).await;
    let path = format!("{ALL}/{id}");
    for (change, status) in [
        (json!({ "enabled": false }), 401),
        (json!({ "enabled": true, "allowedNetworks": ["10.0.0.0/8"] }), 403),
    ] {
        assert_eq!(app.send(As::Root, TestRequest::patch().uri(&path).set_json(change)).await.status, 200);
        assert_eq!(verify(&app, &secret, "", "192.0.2.1").await, status);
    }
    let told = usage(&app, &format!("{path}/usage")).await;
    assert_eq!(
        told["usage"],
        json!([{ "at": HOUR, "verified": 0, "refused": { "disabled": 1, "network": 1 } }])
    );
    assert_eq!(told.get("lastUsedAt"), None);
    assert_eq!(told["addresses"][0]["address"], "192.0.2.1", "where it was tried");
}

#[actix_web::test]
async fn a_setting_turns_addresses_off() {
    let app = TestApp::with(|settings| settings.use_cases.usage.addresses = false).await;
    let (secret, id) = client_token(&app).await;
    assert_eq!(verify(&app, &secret, "", "192.0.2.1").await, 200);
    let told = usage(&app, &format!("{ALL}/{id}/usage")).await;
    assert_eq!((&told["usage"][0]["verified"], &told["addresses"]), (&json!(1), &json!([])));
}

#[actix_web::test]
async fn a_project_and_the_instance_have_sums() {
    let app = TestApp::new().await;
    let (secret, id) = client_token(&app).await;
    let (_, unused) = client_token(&app).await;
    let (admin, admin_id) = app.token_and_id(TokenAccess::Admin).await;
    app.clock.advance(Duration::from_secs(3_600));
    app.use_cases.follow_changes().await.expect("followed");
    for (secret, query) in [(&secret, ""), (&secret, "?project=x"), (&admin, ""), (&admin, ""), (&admin, "")]
    {
        verify(&app, secret, query, "192.0.2.1").await;
    }
    let from = "?from=2023-04-19T09:00:00Z";
    let told = usage(&app, &format!("{OF_PROJECT}{from}")).await;
    assert_eq!(told["usage"][0]["verified"], 1);
    assert_eq!(told["top"], json!([{ "id": id, "tokenName": "given", "verified": 1, "refused": 1 }]));
    assert_eq!(told["unused"], json!([{ "id": unused, "tokenName": "given" }]));
    let told = usage(&app, &format!("{OF_INSTANCE}{from}")).await;
    assert_eq!((&told["usage"][0]["verified"], &told["top"][0]["id"]), (&json!(4), &json!(admin_id)));
    assert!(told.get("addresses").is_none());
    app.get(As::Root, "/api/admin/projects/nosuch/usage").await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn a_query_that_cannot_be_answered_is_refused() {
    let app = TestApp::new().await;
    let (_, id) = client_token(&app).await;
    for (query, place) in [
        ("per=week", "per"),
        ("from=yesterday", "from"),
        ("to=1", "to"),
        ("from=2023-04-19T08:00:00Z&to=2023-04-19T08:00:00Z", "from"),
        ("from=2020-01-01T00:00:00Z", "from"),
        ("from=2000-01-01T00:00:00Z&per=day", "from"),
    ] {
        for path in [OF_PROJECT, OF_INSTANCE, &format!("{ALL}/{id}/usage"), &format!("{TOKENS}/{id}/usage")] {
            assert_eq!(
                faults(&app.get(As::Root, &format!("{path}?{query}")).await),
                [format!("/query/{place}")],
                "{path}?{query}"
            );
        }
    }
    for path in [format!("{ALL}/nosuch/usage"), format!("{TOKENS}/nosuch/usage")] {
        app.get(As::Root, &path).await.is(404, "NotFoundError");
    }
}

#[actix_web::test]
async fn who_may_read_tokens_may_read_their_usage() {
    let app = TestApp::new().await;
    let (_, id) = client_token(&app).await;
    let (_, admin_id) = app.token_and_id(TokenAccess::Admin).await;
    let holder = app.holder_of(&["READ_CLIENT_API_TOKEN"]).await;
    let status =
        async |path: String| app.send_by(&holder, TestRequest::get().uri(&path)).await.status.as_u16();
    assert_eq!(status(format!("{ALL}/{id}/usage")).await, 200);
    assert_eq!(status(format!("{ALL}/{admin_id}/usage")).await, 403);
    assert_eq!(status(OF_INSTANCE.to_owned()).await, 200);
    assert_eq!(status(OF_PROJECT.to_owned()).await, 403);
}
