//! `POST /leaks/github`

use actix_web::test::TestRequest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use latchkey_domain::{LeakAction, TokenAccess};
use latchkey_http::{InvalidReportKey, ReportKey};
use latchkey_testkit::app::{As, Response, TestApp};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};

const PATH: &str = "/leaks/github";
/// What comes before the point of a key on P-256.
const P256: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgA=";

fn key_pair() -> EcdsaKeyPair {
    let (kind, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
    let document = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).expect("a key")
}

fn info(pair: &EcdsaKeyPair) -> Vec<u8> {
    [&STANDARD.decode(P256).expect("base64")[..26], pair.public_key().as_ref()].concat()
}

/// An application that knows the key of this pair.
async fn app(pair: &EcdsaKeyPair, action: LeakAction) -> TestApp {
    let key = ReportKey::new("known", &info(pair)).expect("a key");
    TestApp::with(|settings| {
        settings.http.report_keys = vec![key];
        settings.use_cases.leaks = action;
    })
    .await
}

async fn send(app: &TestApp, key: &str, pair: &EcdsaKeyPair, signed: &str, body: &str) -> Response {
    let signature = pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("signed");
    let request = TestRequest::post()
        .uri(PATH)
        .insert_header(("content-type", "application/json"))
        .insert_header(("github-public-key-identifier", key))
        .insert_header(("github-public-key-signature", STANDARD.encode(signature)))
        .set_payload(body.to_owned());
    app.send(As::Anonymous, request).await
}

async fn leaks(app: &TestApp) -> Vec<Value> {
    let all = app.get(As::Root, "/api/admin/events").await.json();
    let all = all["events"].as_array().expect("events").clone();
    all.into_iter().filter(|event| event["type"] == "api-token-leaked").collect()
}

#[actix_web::test]
async fn signed_reports_are_answered_and_recorded() {
    let pair = key_pair();
    let app = app(&pair, LeakAction::Revoke).await;
    let secret = app.token(TokenAccess::Admin).await;
    let entry = |token: &str| json!({"token": token, "type": "latchkey_token", "url": "https://github.com/x", "source": "commit"});
    let body = json!([entry("not a secret"), entry(&secret), entry("*:*.unknown")]).to_string();
    let answer = send(&app, "known", &pair, &body, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let verdict =
        |token: &str, label| json!({"token_raw": token, "token_type": "latchkey_token", "label": label});
    assert_eq!(
        answer.json(),
        json!([
            verdict("not a secret", "false_positive"),
            verdict(&secret, "true_positive"),
            verdict("*:*.unknown", "false_positive"),
        ])
    );
    let events = leaks(&app).await;
    let [event] = events.as_slice() else { panic!("one event: {events:?}") };
    assert_eq!(event["createdBy"], "latchkey_system_user");
    assert_eq!(
        event["data"]["leak"],
        json!({"url": "https://github.com/x", "source": "commit", "action": "revoke"})
    );
    assert_eq!(
        app.send_by(&secret, TestRequest::get().uri("/api/admin/user")).await.status,
        401,
        "it is revoked"
    );
}

#[actix_web::test]
async fn other_signatures_and_bodies_are_refused() {
    let (pair, other) = (key_pair(), key_pair());
    let app = app(&pair, LeakAction::Nothing).await;
    let secret = app.token(TokenAccess::Admin).await;
    let body = json!([{"token": secret, "type": "x", "url": null, "source": null}]).to_string();
    send(&app, "unknown", &pair, &body, &body).await.is(401, "UnauthorizedError");
    send(&app, "known", &other, &body, &body).await.is(401, "UnauthorizedError");
    send(&app, "known", &pair, "[]", &body).await.is(401, "UnauthorizedError");
    let request = TestRequest::post().uri(PATH).set_json(json!([]));
    app.send(As::Anonymous, request).await.is(401, "UnauthorizedError");
    for bad in ["{}", "[{}]", "", &json!(vec![json!({"token": "x", "type": "x"}); 1_001]).to_string()] {
        send(&app, "known", &pair, bad, bad).await.is(400, "BadDataError");
    }
    assert_eq!(leaks(&app).await, Vec::<Value>::new());
    assert_eq!(send(&app, "known", &pair, "[]", "[]").await.json(), json!([]));
}

#[actix_web::test]
async fn without_keys_there_is_no_such_route() {
    let (app, pair) = (TestApp::new().await, key_pair());
    send(&app, "known", &pair, "[]", "[]").await.is(404, "NotFoundError");
}

#[test]
fn only_keys_on_p256_are_accepted() {
    let info = info(&key_pair());
    assert!(ReportKey::new("id", &info).is_ok());
    for bad in [&info[1..], &info[..90], &[info.as_slice(), &[0]].concat(), b""] {
        assert_eq!(ReportKey::new("id", bad).err(), Some(InvalidReportKey));
    }
}
