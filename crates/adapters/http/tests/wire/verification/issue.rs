//! `POST /edge/issue-token`

use std::{fmt::Write as _, time::Duration};

use actix_web::test::TestRequest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use latchkey_http::EdgeClient;
use latchkey_testkit::app::{As, Response, TestApp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::expectations::{event_count, faults};

const PATH: &str = "/edge/issue-token";
/// The secret of the client, in base64url.
const SECRET: &str = "aGVsbG8taGVsbG8taGVsbG8taGVsbG8taGVsbG8taGVsbG8";

/// A request, of which a test changes one part.
#[derive(Clone)]
struct Asked {
    client: &'static str,
    secret: &'static str,
    time: String,
    nonce: String,
    signed_body: String,
    body: String,
}

impl Asked {
    fn of(body: &Value) -> Self {
        Self {
            client: "enterprise-edge",
            secret: SECRET,
            time: "2023-04-19T08:15:14+00:00".to_owned(),
            nonce: "0123456789abcdef".to_owned(),
            signed_body: body.to_string(),
            body: body.to_string(),
        }
    }

    fn digest(&self) -> String {
        Sha256::digest(&self.signed_body).iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    fn signature(&self) -> String {
        let key = URL_SAFE_NO_PAD.decode(self.secret).expect("base64url");
        let signed = format!("POST\n{PATH}\n{}\n{}\n{}", self.time, self.nonce, self.digest());
        let mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key").chain_update(signed);
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    fn request(&self) -> TestRequest {
        TestRequest::post()
            .uri(PATH)
            .insert_header(("authorization", format!("HMAC {}:{}", self.client, self.signature())))
            .insert_header(("x-timestamp", self.time.clone()))
            .insert_header(("x-nonce", self.nonce.clone()))
            .insert_header(("content-sha256", self.digest()))
            .insert_header(("content-type", "application/json"))
            .set_payload(self.body.clone())
    }

    async fn send(&self, app: &TestApp) -> Response {
        app.send(As::Anonymous, self.request()).await
    }
}

fn body() -> Value {
    json!({"tokens": [{"environment": "development", "projects": ["default"]}]})
}

async fn with_client() -> TestApp {
    TestApp::with(|settings| settings.http.edge_client = EdgeClient::parse(SECRET).ok()).await
}

/// Asserts that the response is 401 with this message.
#[track_caller]
fn refused(answer: &Response, message: &str) {
    answer.is(401, "UnauthorizedError");
    assert_eq!(answer.json()["message"], format!("{message}."));
    assert_eq!(answer.header("www-authenticate"), Some("HMAC"));
}

#[actix_web::test]
async fn each_scope_gets_a_token_that_works_there() {
    let app = with_client().await;
    let asked = json!({"tokens": [
        {"environment": "development", "projects": ["default"]},
        {"environment": "production", "projects": ["*"]},
        {"environment": "production", "projects": ["elsewhere", "default"]},
    ]});
    let answer = Asked::of(&asked).send(&app).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    let tokens = answer.json()["tokens"].as_array().expect("tokens").clone();
    for (token, asked) in tokens.iter().zip(asked["tokens"].as_array().expect("scopes")) {
        assert_eq!((&token["environment"], &token["projects"]), (&asked["environment"], &asked["projects"]));
        assert_eq!(token["type"], "backend");
    }
    let secrets: Vec<_> = tokens.iter().map(|token| &token["token"]).collect();
    let valid = app.post(As::Anonymous, "/edge/validate", &json!({"tokens": secrets})).await.json();
    let kinds: Vec<_> = valid["tokens"].as_array().expect("tokens").iter().map(|one| &one["type"]).collect();
    assert_eq!(kinds, ["client"; 3]);
    let listed = app.get(As::Root, "/api/admin/api-tokens?name=enterprise_edge").await.json();
    let names: Vec<_> =
        listed["tokens"].as_array().expect("tokens").iter().map(|one| one["tokenName"].clone()).collect();
    for name in ["development_default", "production_*", "production_elsewhere_default"] {
        assert!(names.contains(&json!(format!("enterprise_edge_{name}"))), "{names:?}");
    }
    assert!(listed["tokens"].as_array().expect("tokens").iter().all(|one| one["alias"].is_null()));
}

#[actix_web::test]
async fn a_request_is_answered_once() {
    let app = with_client().await;
    let asked = Asked::of(&body());
    assert_eq!(asked.send(&app).await.status, 200);
    let before = event_count(&app).await;
    refused(&asked.send(&app).await, "Replay detected");
    let other = Asked::of(&json!({"tokens": [{"environment": "production", "projects": ["*"]}]}));
    refused(&other.send(&app).await, "Replay detected");
    assert_eq!(event_count(&app).await, before);
    assert_eq!(Asked { nonce: "another".to_owned(), ..asked }.send(&app).await.status, 200);
}

#[actix_web::test]
async fn the_time_has_to_be_readable_and_within_five_minutes() {
    let app = with_client().await;
    let at = |time: &str, nonce: &str| Asked {
        time: time.to_owned(),
        nonce: nonce.to_owned(),
        ..Asked::of(&body())
    };
    assert_eq!(at("2023-04-19T08:10:14.000Z", "early").send(&app).await.status, 200);
    assert_eq!(at("2023-04-19T10:20:14+02:00", "late").send(&app).await.status, 200);
    for time in ["2023-04-19T08:10:13.999Z", "2023-04-19T08:20:14.001Z", "1970-01-01T00:00:00Z"] {
        refused(&at(time, "x").send(&app).await, "Stale request");
    }
    for time in ["soon", "", "2023-04-19", "1681892114000"] {
        refused(&at(time, "x").send(&app).await, "Unreadable timestamp");
    }
    let asked = at("2023-04-19T08:15:14Z", "later");
    app.clock.advance(Duration::from_secs(301));
    refused(&asked.send(&app).await, "Stale request");
}

#[actix_web::test]
async fn a_wrong_signature_is_refused_and_nothing_is_created() {
    let app = with_client().await;
    let before = event_count(&app).await;
    let good = Asked::of(&body());
    let other = "b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXI";
    refused(&Asked { secret: other, ..good.clone() }.send(&app).await, "Signature mismatch");
    refused(&Asked { client: "somewhere-else", ..good.clone() }.send(&app).await, "Unknown client");
    let tampered = json!({"tokens": [{"environment": "production", "projects": ["*"]}]}).to_string();
    refused(&Asked { body: tampered, ..good.clone() }.send(&app).await, "Body tampering detected");
    for bad in ["HMAC enterprise-edge:", "HMAC enterprise-edge:!!", "HMAC enterprise-edge:AAAA"] {
        let request = good.request().insert_header(("authorization", bad));
        refused(&app.send(As::Anonymous, request).await, "Signature mismatch");
    }
    for bad in ["HMAC enterprise-edge", "Bearer x", "x"] {
        let request = good.request().insert_header(("authorization", bad));
        refused(&app.send(As::Anonymous, request).await, "Missing HMAC authorization header");
    }
    let bare = TestRequest::post()
        .uri(PATH)
        .insert_header(("authorization", format!("HMAC enterprise-edge:{}", good.signature())));
    refused(&app.send(As::Anonymous, bare).await, "Missing content headers");
    let nonce = Asked { nonce: "n".repeat(129), ..good };
    refused(&nonce.send(&app).await, "The nonce must have 1 to 128 characters");
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn blanks_in_the_body_do_not_matter() {
    let app = with_client().await;
    let spaced = "{ \"tokens\": [ {\"environment\": \"development\", \"projects\": [\"default\"]} ] }";
    let asked = Asked { body: spaced.to_owned(), ..Asked::of(&body()) };
    assert_eq!(asked.send(&app).await.status, 200, "the JSON without blanks is signed");
    let signed = Asked { signed_body: spaced.to_owned(), nonce: "x".to_owned(), ..asked };
    assert_eq!(signed.send(&app).await.status, 200, "the bytes are signed");
}

#[actix_web::test]
async fn what_no_token_can_have_is_refused() {
    let app = with_client().await;
    let scope = |environment: &str, projects: Value| json!({"tokens": [{"environment": environment, "projects": projects}]});
    for (body, path) in [
        (json!({"tokens": []}), "/body/tokens"),
        (json!({}), "/body"),
        (scope("nope", json!(["*"])), "/body/tokens/0/environment"),
        (scope("a b", json!(["*"])), "/body/tokens/0/environment"),
        (scope("*", json!(["*"])), "/body/tokens/0/environment"),
        (scope("development", json!([])), "/body/tokens/0/projects"),
        (scope("development", json!(["a b"])), "/body/tokens/0/projects"),
        (scope("development", json!(["nope"])), "/body/tokens/0/projects"),
        (scope("development", json!("default")), "/body"),
    ] {
        let answer = Asked { nonce: path.to_owned() + &body.to_string(), ..Asked::of(&body) };
        let nonce = answer.nonce.chars().take(100).collect();
        assert_eq!(faults(&Asked { nonce, ..answer }.send(&app).await), [path], "{body}");
    }
}

#[actix_web::test]
async fn without_a_secret_there_is_no_client() {
    let app = TestApp::new().await;
    refused(&Asked::of(&body()).send(&app).await, "Unknown client");
}
