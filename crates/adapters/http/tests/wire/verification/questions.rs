//! `POST /api/verify`: what programs ask about the tokens of their clients.

use actix_web::test::TestRequest;
use latchkey_domain::TokenAccess;
use latchkey_testkit::app::{As, Response, TOKENS, TestApp};
use serde_json::{Value, json};

use super::{OVERLAP, Secrets};
use crate::expectations::faults;

const PATH: &str = "/api/verify";

async fn ask(app: &TestApp, question: &Value) -> Response {
    app.post(As::Client, PATH, question).await
}

/// Returns the answer to one question, with its status checked.
async fn answer(app: &TestApp, question: Value) -> Value {
    let answer = ask(app, &question).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("cache-control")),
        (200, Some("no-store")),
        "{question}"
    );
    answer.json()
}

async fn created(app: &TestApp, attributes: Value) -> Value {
    let mut body = json!({ "tokenName": "web shop", "type": "client" });
    body.as_object_mut().expect("an object").extend(attributes.as_object().expect("an object").clone());
    app.post(As::Root, TOKENS, &body).await.json()
}

fn all_attributes() -> Value {
    json!({
        "scopes": ["stock:*", "orders:read"],
        "owner": "team-a@example.com",
        "metadata": { "team": "a" },
        "allowedNetworks": ["192.0.2.0/24"],
        "expiresAt": "2099-01-01T00:00:00.000Z",
    })
}

#[actix_web::test]
async fn a_good_token_is_described() {
    let app = TestApp::new().await;
    let token = created(&app, all_attributes()).await;
    let mut told = answer(&app, json!({ "token": token["secret"], "ip": "192.0.2.7" })).await;
    assert_eq!(told["id"].take(), token["id"]);
    insta::assert_json_snapshot!(told, @r#"
    {
      "environment": "development",
      "expiresAt": "2099-01-01T00:00:00.000Z",
      "id": null,
      "metadata": {
        "team": "a"
      },
      "name": "web shop",
      "owner": "team-a@example.com",
      "projects": [
        "default"
      ],
      "scopes": [
        "orders:read",
        "stock:*"
      ],
      "type": "client",
      "valid": true
    }
    "#);
    let admin = app.token(TokenAccess::Admin).await;
    let told = answer(&app, json!({ "token": admin, "project": "any", "environment": "any" })).await;
    assert_eq!(
        (&told["valid"], &told["projects"], &told["environment"]),
        (&json!(true), &json!(["*"]), &json!("*"))
    );
    for absent in ["reason", "scopes", "owner", "metadata", "expiresAt"] {
        assert_eq!(told.get(absent), None, "{absent}");
    }
}

#[actix_web::test]
async fn a_refused_token_is_described_with_the_reason() {
    let app = TestApp::new().await;
    let token = created(&app, all_attributes()).await;
    let with = |requirement: Value| {
        let mut question = json!({ "token": token["secret"], "ip": "192.0.2.7" });
        question
            .as_object_mut()
            .expect("an object")
            .extend(requirement.as_object().expect("an object").clone());
        question
    };
    for (requirement, reason) in [
        (json!({ "ip": null }), Some("network")),
        (json!({ "ip": "198.51.100.7" }), Some("network")),
        (json!({ "ip": "::ffff:192.0.2.9" }), None),
        (json!({ "type": "frontend" }), Some("wrong_type")),
        (json!({ "type": "backend", "project": "default", "environment": "development" }), None),
        (json!({ "project": "other" }), Some("wrong_project")),
        (json!({ "environment": "production" }), Some("wrong_environment")),
        (json!({ "scopes": ["orders:read", "stock:write"] }), None),
        (json!({ "scopes": ["orders:read", "orders:write"] }), Some("missing_scope")),
        (json!({ "scopes": [] }), None),
    ] {
        let told = answer(&app, with(requirement.clone())).await;
        assert_eq!(told["valid"], json!(reason.is_none()), "{requirement}");
        assert_eq!(told.get("reason"), reason.map(|reason| json!(reason)).as_ref(), "{requirement}");
        assert_eq!((&told["id"], &told["owner"]), (&token["id"], &token["owner"]), "{requirement}");
    }
}

#[actix_web::test]
async fn secrets_in_every_state_are_told_apart() {
    let app = TestApp::new().await;
    let secrets = Secrets::of(&app).await;
    for good in secrets.good_ones() {
        assert_eq!(answer(&app, json!({ "token": good })).await["valid"], json!(true), "{good}");
    }
    app.clock.advance(OVERLAP);
    for (secret, reason) in [
        (&*secrets.unknown, "unknown"),
        (&secrets.revoked, "unknown"),
        (&secrets.personal, "unknown"),
        ("a b", "unknown"),
        ("", "unknown"),
        (&secrets.expired, "expired"),
        (&secrets.replaced, "expired"),
    ] {
        let told = answer(&app, json!({ "token": secret })).await;
        assert_eq!(told["reason"], json!(reason), "{secret}");
        assert_eq!(told.get("id").is_some(), reason != "unknown", "{secret}: {told}");
    }
}

#[actix_web::test]
async fn a_list_is_answered_in_its_order() {
    let app = TestApp::new().await;
    let secrets = Secrets::of(&app).await;
    let bound = created(&app, all_attributes()).await;
    let asked = json!({ "tokens": [
        { "token": secrets.revoked },
        { "token": bound["secret"], "ip": "192.0.2.7" },
        { "token": secrets.good, "project": "other" },
        { "token": bound["secret"], "ip": "198.51.100.7" },
        { "token": secrets.good },
    ] });
    let told = answer(&app, asked).await;
    let told = told["tokens"].as_array().expect("a list");
    let reasons: Vec<_> = told.iter().map(|one| one["reason"].as_str().unwrap_or("valid")).collect();
    assert_eq!(reasons, ["unknown", "valid", "wrong_project", "network", "valid"]);
    assert_eq!(
        answer(&app, json!({ "tokens": [{ "token": secrets.good }] })).await["tokens"][0]["valid"],
        json!(true)
    );
    let many = |count: usize| json!({ "tokens": vec![json!({ "token": secrets.good }); count] });
    assert_eq!(answer(&app, many(1_000)).await["tokens"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(faults(&ask(&app, &many(1_001)).await), ["/body/tokens"]);
    assert_eq!(faults(&ask(&app, &many(0)).await), ["/body/tokens"]);
}

/// What cannot be read or is not known could have been a requirement.
#[actix_web::test]
async fn nothing_of_a_question_is_passed_over() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    for (question, places) in [
        (json!({}), &["/body/token"][..]),
        (json!({ "token": good, "projects": ["other"] }), &["/body/projects"]),
        (json!({ "token": good, "zzz": 1 }), &["/body/zzz"]),
        (
            json!({ "token": good, "project": "a b", "ip": "x", "type": "none" }),
            &["/body/ip", "/body/project", "/body/type"],
        ),
        (json!({ "token": good, "scopes": "orders:read" }), &["/body/scopes"]),
        (json!({ "tokens": [{ "token": good }], "project": "other" }), &["/body/project"]),
        (json!({ "tokens": [{ "token": good }], "token": good }), &["/body/token"]),
        (
            json!({ "tokens": [{ "token": good }, { "token": good, "ip": 7 }, 1] }),
            &["/body/tokens/1/ip", "/body/tokens/2"],
        ),
        (json!({ "tokens": good }), &["/body/tokens"]),
        (json!([{ "token": good }]), &["/body"]),
    ] {
        assert_eq!(faults(&ask(&app, &question).await), places, "{question}");
    }
}

#[actix_web::test]
async fn to_ask_needs_credentials_that_browsers_do_not_hold() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    for (who, status) in [
        (As::Anonymous, 401),
        (As::Unknown, 401),
        (As::Expired, 401),
        (As::Frontend, 403),
        (As::Client, 200),
        (As::Viewer, 200),
        (As::Admin, 200),
    ] {
        let answer = app.post(who, PATH, &json!({ "token": good })).await;
        assert_eq!(answer.status.as_u16(), status, "{who:?}");
        assert_eq!(answer.header("x-latchkey-reason"), None, "{who:?}: the answer is about another token");
    }
    let unread = TestRequest::post().uri(PATH).set_payload("no JSON");
    app.send(As::Anonymous, unread).await.is(401, "AuthenticationRequired");
}
