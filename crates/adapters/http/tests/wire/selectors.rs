//! Tokens in the second form of Unleash: created, listed, and named by their selectors.

use actix_web::test::TestRequest;
use latchkey_domain::{ProjectScope, TokenAccess, TokenKind, TokenSecret};
use latchkey_service::TokenFormat;
use latchkey_testkit::{
    app::{As, TOKENS, TestApp},
    samples::{access, project_id},
};
use serde_json::{Value, json};

use crate::expectations::newest_event;

const ALL: &str = "/api/admin/api-tokens";
const ELSEWHERE: &str = "/api/admin/projects/elsewhere/api-tokens";

async fn app() -> TestApp {
    TestApp::with(|settings| settings.use_cases.tokens.format = TokenFormat::UnleashV2).await
}

fn of_default() -> TokenAccess {
    access(TokenKind::Client, ProjectScope::one(project_id("default")))
}

/// Returns a new token's secret and selector.
async fn token(app: &TestApp) -> (String, String) {
    let secret = app.token(of_default()).await;
    let selector = TokenSecret::parse(&secret).expect("a secret").selector().expect("a selector");
    (secret, selector.to_string())
}

async fn listed(app: &TestApp, route: &str, secret: &str) -> Option<Value> {
    let tokens = app.get(As::Root, route).await.json()["tokens"].clone();
    tokens.as_array().expect("tokens").iter().find(|token| token["secret"] == secret).cloned()
}

async fn is_valid(app: &TestApp, secret: &str) -> bool {
    let body = json!({"tokens": [secret]});
    let answer = app.send_by("", TestRequest::post().uri("/edge/validate").set_json(body)).await;
    answer.json()["tokens"].as_array().expect("tokens").len() == 1
}

#[actix_web::test]
async fn the_secret_is_shown_once_and_the_selector_in_lists() {
    let app = app().await;
    for route in [TOKENS, ALL] {
        let body = json!({"tokenName": "v2", "type": "backend", "environment": "development", "projects": ["default"]});
        let created = app.send(As::Root, TestRequest::post().uri(route).set_json(body)).await;
        assert_eq!(created.status, 201, "{}", created.json());
        let secret = created.json()["secret"].as_str().expect("a secret").to_owned();
        let selector = TokenSecret::parse(&secret).expect("a secret").selector().expect("the second form");
        assert!(secret.starts_with("default:development.v2_"), "{secret}");
        assert_eq!(created.json()["secure"], true);
        for list in [TOKENS, ALL] {
            let token = listed(&app, list, selector.as_str()).await.expect("listed by its selector");
            assert_eq!((&token["secure"], &token["tokenName"]), (&json!(true), &json!("v2")));
        }
        let (kind, _, _, data) = newest_event(&app).await;
        assert_eq!((kind.as_str(), &data["selector"]), ("api-token-created", &json!(selector.as_str())));
        assert!(!data.to_string().contains(&secret));
        assert!(is_valid(&app, &secret).await && !is_valid(&app, selector.as_str()).await);
    }
}

#[actix_web::test]
async fn a_selector_or_the_secret_names_the_token_on_every_route() {
    let app = app().await;
    let (secret, selector) = token(&app).await;
    for name in [&secret, &selector] {
        let answer = app.get(As::Root, &format!("{TOKENS}/{name}")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["secret"]), (200, &json!(selector)), "{name}");
        let put = TestRequest::put()
            .uri(&format!("{ALL}/{name}"))
            .set_json(json!({"expiresAt": "2099-01-01T00:00:00Z"}));
        assert_eq!(app.send(As::Root, put).await.status, 200, "{name}");
        let token = listed(&app, ALL, &selector).await.expect("listed");
        assert_eq!(token["expiresAt"], "2099-01-01T00:00:00.000Z");
        let put = TestRequest::put()
            .uri(&format!("{ALL}/{name}"))
            .set_json(json!({"expiresAt": "2098-01-01T00:00:00Z"}));
        assert_eq!(app.send(As::Root, put).await.status, 200, "{name}");
    }
    let by_name = app.get(As::Root, &format!("{ALL}/{selector}")).await.json();
    assert_eq!(by_name["tokens"][0]["secret"], json!(selector));
    assert_eq!(app.get(As::Root, &format!("{ELSEWHERE}/{selector}")).await.status, 404, "another project's");
    let elsewhere = TestRequest::delete().uri(&format!("{ELSEWHERE}/{selector}"));
    assert_eq!(app.send(As::Root, elsewhere).await.status, 404);

    let rotation =
        TestRequest::post().uri(&format!("{TOKENS}/{selector}/rotate")).set_json(json!({"overlap": "PT0S"}));
    let rotated = app.send(As::Root, rotation).await.json()["secret"].as_str().expect("a secret").to_owned();
    assert!(rotated != secret && rotated.contains(&selector), "{rotated}");
    assert!(is_valid(&app, &rotated).await && !is_valid(&app, &secret).await);
}

#[actix_web::test]
async fn a_token_is_deleted_by_its_selector() {
    for route in [TOKENS, ALL] {
        for by_secret in [false, true] {
            let app = app().await;
            let (secret, selector) = token(&app).await;
            let name = if by_secret { &secret } else { &selector };
            assert!(is_valid(&app, &secret).await);
            let delete = || TestRequest::delete().uri(&format!("{route}/{name}"));
            assert_eq!(app.send(As::Root, delete()).await.status, 200, "{route}");
            assert!(!is_valid(&app, &secret).await);
            assert!(listed(&app, ALL, &selector).await.is_none());
            let again = if route == TOKENS { 404 } else { 200 };
            assert_eq!(app.send(As::Root, delete()).await.status, again, "{route}");
        }
    }
}
