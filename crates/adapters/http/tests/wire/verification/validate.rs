//! `POST /edge/validate`

use actix_web::{http::Method, test::TestRequest};
use latchkey_domain::{ProjectScope, ProjectSet, TokenAccess, TokenKind};
use latchkey_testkit::{
    app::{As, Response, TOKENS, TestApp},
    samples::{access, project_id},
};
use serde_json::{Value, json};

use super::{OVERLAP, Secrets};
use crate::expectations::faults;

const VALIDATE: &str = "/edge/validate";

async fn validate(app: &TestApp, secrets: &[&str]) -> Response {
    app.post(As::Anonymous, VALIDATE, &json!({"tokens": secrets})).await
}

/// Returns the secrets that the response lists as valid, in its order.
async fn good_among(app: &TestApp, secrets: &[&str]) -> Vec<String> {
    let answer = validate(app, secrets).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    let tokens = answer.json()["tokens"].as_array().expect("tokens").clone();
    tokens.iter().map(|token| token["token"].as_str().expect("text").to_owned()).collect()
}

#[actix_web::test]
async fn valid_tokens_are_listed_with_their_scope() {
    let app = TestApp::new().await;
    let both = ProjectSet::new(["default", "elsewhere"].map(project_id)).expect("two");
    let several = app.token(access(TokenKind::Frontend, ProjectScope::Only(both))).await;
    let all = app.token(access(TokenKind::Client, ProjectScope::All)).await;
    let admin = app.token(TokenAccess::Admin).await;
    let answer = validate(&app, &[&admin, &several, "no:such.token", &all]).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let mut body = answer.json();
    for (token, secret) in
        body["tokens"].as_array_mut().expect("tokens").iter_mut().zip([admin, several, all])
    {
        assert_eq!(token["token"].take(), json!(secret), "as it was sent, in the order asked");
    }
    insta::assert_json_snapshot!(body, @r#"
    {
      "tokens": [
        {
          "environment": "*",
          "projects": [
            "*"
          ],
          "token": null,
          "type": "admin"
        },
        {
          "environment": "development",
          "projects": [
            "default",
            "elsewhere"
          ],
          "token": null,
          "type": "frontend"
        },
        {
          "environment": "development",
          "projects": [
            "*"
          ],
          "token": null,
          "type": "client"
        }
      ]
    }
    "#);
}

#[actix_web::test]
async fn secrets_in_every_state_are_told_apart() {
    let app = TestApp::new().await;
    let secrets = Secrets::of(&app).await;
    let asked: Vec<&str> =
        [secrets.bad_ones(), secrets.good_ones()].concat().into_iter().chain([&*secrets.personal]).collect();
    assert_eq!(good_among(&app, &asked).await, secrets.good_ones());
    app.clock.advance(OVERLAP);
    assert_eq!(
        good_among(&app, &[&secrets.replaced, &secrets.successor]).await,
        [&*secrets.successor],
        "the overlap has ended"
    );
}

#[actix_web::test]
async fn what_can_be_no_secret_is_left_out() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    let session = app.sign_in("Root").await.split_once('=').expect("a pair").1.to_owned();
    let long = "x".repeat(10_000);
    let bearer = format!("Bearer {good}");
    let asked = ["", " ", "\0", "é", "a b", "\u{1f511}", &long, &session, &bearer, &good];
    assert_eq!(good_among(&app, &asked).await, [&*good]);
    assert_eq!(good_among(&app, &[]).await, [""; 0]);
    assert_eq!(good_among(&app, &[&good, &good]).await, [&*good, &*good], "as often as asked");
}

#[actix_web::test]
async fn ten_thousand_are_looked_at_and_no_more() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    assert_eq!(good_among(&app, &vec![&*good; 10_000]).await.len(), 10_000);
    let answer = validate(&app, &vec![&*good; 10_001]).await;
    assert_eq!(faults(&answer), ["/body/tokens"]);
    insta::assert_json_snapshot!(answer.json()["details"], @r#"
    [
      {
        "message": "Ask about at most 10000 tokens at once, not 10001: send the rest in further requests.",
        "path": "/body/tokens"
      }
    ]
    "#);
}

#[actix_web::test]
async fn validation_needs_no_credentials_and_ignores_invalid_ones() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    for who in [As::Anonymous, As::Unknown, As::Expired, As::Frontend, As::Viewer, As::Admin] {
        let answer = app.post(who, VALIDATE, &json!({"tokens": [good]})).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["tokens"][0]["token"]),
            (200, &json!(good)),
            "{who:?}"
        );
    }
}

#[actix_web::test]
async fn unknown_members_are_passed_over_and_bad_ones_named() {
    let app = TestApp::new().await;
    let extra = app.post(As::Anonymous, VALIDATE, &json!({"tokens": [], "x": {"tokens": 1}})).await;
    assert_eq!(extra.json(), json!({"tokens": []}));
    for (body, path) in [
        (json!({}), "/body/tokens"),
        (json!({"Tokens": []}), "/body/tokens"),
        (json!({"tokens": null}), "/body/tokens"),
        (json!({"tokens": "a"}), "/body/tokens"),
        (json!({"tokens": {}}), "/body/tokens"),
        (json!({"tokens": ["a", 1]}), "/body/tokens"),
        (json!({"tokens": [["a"]]}), "/body/tokens"),
        (json!([]), "/body"),
        (json!("a"), "/body"),
        (Value::Null, "/body"),
    ] {
        assert_eq!(faults(&app.post(As::Anonymous, VALIDATE, &body).await), [path], "{body}");
    }
}

#[actix_web::test]
async fn a_member_that_is_there_twice_is_named() {
    let app = TestApp::new().await;
    for (body, message) in [
        (r#"{"tokens": ["a"], "tokens": ["a"]}"#, "tokens must be sent once."),
        (r#"{"tokens": [], "tokens": []}"#, "tokens must be sent once."),
        (r#"{"tokens": ["a"], "tokens": 1}"#, "tokens must be a list of strings."),
    ] {
        let sent = TestRequest::post().uri(VALIDATE).insert_header(("content-type", "application/json"));
        let answer = app.send(As::Anonymous, sent.set_payload(body)).await;
        assert_eq!(
            (faults(&answer), &answer.json()["details"][0]["message"]),
            (vec!["/body/tokens".to_owned()], &json!(message))
        );
    }
}

#[actix_web::test]
async fn a_body_that_is_not_json_is_refused() {
    let app = TestApp::new().await;
    let request = || TestRequest::post().uri(VALIDATE);
    let deep = "[".repeat(40_000);
    for body in [&b""[..], b"{", b"{\"tokens\": [", b"{\"tokens\": [\"\xff\"]}", b"tokens=a", deep.as_bytes()]
    {
        let sent = request().insert_header(("content-type", "application/json")).set_payload(body.to_vec());
        assert_eq!(
            faults(&app.send(As::Anonymous, sent).await),
            ["/body"],
            "{}",
            String::from_utf8_lossy(body)
        );
    }
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", ""]
    {
        let sent = request().insert_header(("content-type", content_type)).set_payload("{\"tokens\": []}");
        app.send(As::Anonymous, sent).await.is(415, "ContentTypeError");
    }
    let squeezed = request().set_json(json!({"tokens": []})).insert_header(("content-encoding", "gzip"));
    app.send(As::Anonymous, squeezed).await.is(415, "ContentTypeError");
    let large = request().set_json(json!({"tokens": ["x".repeat(1024 * 1024)]}));
    app.send(As::Anonymous, large).await.is(413, "PayloadTooLargeError");
}

#[actix_web::test]
async fn it_is_asked_by_post_alone() {
    let app = TestApp::new().await;
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = app.method(As::Anonymous, method, VALIDATE).await;
        answer.is(405, "MethodNotAllowedError");
        assert_eq!(answer.header("allow"), Some("POST"));
    }
    let answer = app.method(As::Anonymous, Method::OPTIONS, VALIDATE).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (200, Some("POST")));
}

#[actix_web::test]
async fn the_use_is_noted_of_good_ones_only() {
    let app = TestApp::new().await;
    let access = access(TokenKind::Client, ProjectScope::one(project_id("default")));
    let (secret, token_id) = app.token_and_id(access).await;
    let last_used_at = || async {
        app.use_cases.flush_usage().await.expect("flushed");
        app.get(As::Root, &format!("{TOKENS}/{token_id}")).await.json()["seenAt"].clone()
    };
    assert_eq!(last_used_at().await, Value::Null);
    validate(&app, &[&secret]).await;
    assert_eq!(last_used_at().await, json!("2023-04-19T08:15:14.000Z"));
}
