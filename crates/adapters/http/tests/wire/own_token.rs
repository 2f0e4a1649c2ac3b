//! `/api/token`: what an API token may do with itself.

use std::time::Duration;

use actix_web::test::TestRequest;
use latchkey_domain::{ProjectScope, TokenAccess, TokenKind};
use latchkey_service::{Reveal, SelfService};
use latchkey_testkit::{
    app::{As, Response, TOKENS, TestApp},
    samples::{access, project_id},
};
use serde_json::json;

use crate::expectations::{faults, newest_event};

const OWN: &str = "/api/token";
const ROTATE: &str = "/api/token/rotate";

fn of(kind: TokenKind) -> TokenAccess {
    access(kind, ProjectScope::one(project_id("default")))
}

async fn app(allowed: SelfService) -> TestApp {
    TestApp::with(|settings| settings.use_cases.self_service = allowed).await
}

fn rotation() -> TestRequest {
    TestRequest::post().uri(ROTATE).set_json(json!({ "overlap": "PT1H" }))
}

async fn read(app: &TestApp, secret: &str) -> Response {
    app.send_by(secret, TestRequest::get().uri(OWN)).await
}

async fn delete(app: &TestApp, secret: &str) -> Response {
    app.send_by(secret, TestRequest::delete().uri(OWN)).await
}

#[actix_web::test]
async fn the_setting_says_what_a_token_may_do_with_itself() {
    use SelfService::{All, Off, Read, Rotate};
    for (allowed, client_may, frontend_may) in [
        (Off, [403, 403, 403], [403, 403, 403]),
        (Read, [200, 403, 403], [200, 403, 403]),
        (Rotate, [200, 200, 403], [200, 403, 403]),
        (All, [200, 200, 200], [200, 403, 403]),
    ] {
        let app = app(allowed).await;
        for (access, expected) in [
            (of(TokenKind::Client), client_may),
            (TokenAccess::Admin, client_may),
            (of(TokenKind::Frontend), frontend_may),
        ] {
            let mut secret = app.token(access).await;
            let mut statuses = [0; 3];
            statuses[0] = read(&app, &secret).await.status.as_u16();
            let rotated = app.send_by(&secret, rotation()).await;
            statuses[1] = rotated.status.as_u16();
            if rotated.status == 200 {
                secret = rotated.json()["secret"].as_str().expect("text").to_owned();
            } else {
                rotated.is(403, "OperationDeniedError");
            }
            statuses[2] = delete(&app, &secret).await.status.as_u16();
            assert_eq!(statuses, expected, "{allowed:?}");
            let is_gone = read(&app, &secret).await.status == 401;
            assert_eq!(is_gone, statuses[2] == 200, "{allowed:?}");
        }
    }
}

#[actix_web::test]
async fn users_and_unknown_callers_have_no_token_of_their_own() {
    let app = app(SelfService::All).await;
    for request in [|| TestRequest::get().uri(OWN), rotation, || TestRequest::delete().uri(OWN)] {
        for who in [As::Root, As::Viewer] {
            let refused = app.send(who, request()).await;
            refused.is(403, "OperationDeniedError");
        }
        let cookie = app.sign_in("Root").await;
        assert_eq!(app.send_with(&cookie, request()).await.status, 403);
        for who in [As::Anonymous, As::Unknown, As::Expired] {
            assert_eq!(app.send(who, request()).await.status, 401, "{who:?}");
        }
    }
    let other = app.send(As::Client, TestRequest::put().uri(OWN)).await;
    assert_eq!((other.status.as_u16(), other.header("allow")), (405, Some("GET,HEAD,DELETE")));
}

#[actix_web::test]
async fn a_token_reads_what_it_is_without_its_secret() {
    for reveal in [Reveal::Always, Reveal::Once] {
        let app = TestApp::with(|settings| {
            settings.use_cases.self_service = SelfService::Read;
            settings.use_cases.tokens.reveal = reveal;
        })
        .await;
        let (secret, id) = app.token_and_id(of(TokenKind::Client)).await;
        let shown = read(&app, &secret).await;
        assert_eq!(shown.header("cache-control"), Some("no-store"));
        let mut expected = app.get(As::Root, &format!("{TOKENS}/{id}")).await.json();
        expected["secret"] = json!(id);
        expected["secure"] = json!(true);
        assert_eq!(shown.json(), expected);
        assert!(!shown.text().contains(secret.rsplit_once('.').expect("a dot").1));
    }
}

#[actix_web::test]
async fn a_rotation_of_its_own_is_like_any_other_and_can_be_sent_again() {
    let app = app(SelfService::Rotate).await;
    let (secret, id) = app.token_and_id(of(TokenKind::Client)).await;
    let rotate = || rotation().insert_header(("idempotency-key", "k"));
    let first = app.send_by(&secret, rotate()).await;
    assert_eq!(first.status, 200, "{}", first.json());
    assert_eq!(first.json()["previousSecretExpiresAt"], json!("2023-04-19T09:15:14.000Z"));
    let new = first.json()["secret"].as_str().expect("text").to_owned();
    for by in [&secret, &new] {
        let again = app.send_by(by, rotate()).await;
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.text(), first.text());
    }
    let (kind, actor, before, after) = newest_event(&app).await;
    assert_eq!((kind.as_str(), actor.as_str()), ("api-token-rotated", "given"));
    assert_eq!((&before["id"], &after["id"]), (&json!(id), &json!(id)));
    let bad = TestRequest::post().uri(ROTATE).set_json(json!({ "overlap": "soon" }));
    assert_eq!(faults(&app.send_by(&new, bad).await), ["/body/overlap"]);
}

#[actix_web::test]
async fn a_replaced_secret_reads_and_changes_nothing() {
    let app = app(SelfService::All).await;
    let (old, id) = app.token_and_id(of(TokenKind::Client)).await;
    let new = app.send_by(&old, rotation()).await.json()["secret"].as_str().expect("text").to_owned();
    assert_eq!(read(&app, &old).await.json()["id"], json!(id));
    for refused in [app.send_by(&old, rotation()).await, delete(&app, &old).await] {
        refused.is(400, "BadDataError");
        assert!(refused.text().contains("replaced by a rotation"), "{}", refused.text());
    }
    app.clock.advance(Duration::from_secs(3_600));
    assert_eq!(read(&app, &old).await.status, 401);
    assert_eq!(delete(&app, &new).await.status, 200);
    assert_eq!(newest_event(&app).await.0, "api-token-deleted");
    assert_eq!(delete(&app, &new).await.status, 401);
}
