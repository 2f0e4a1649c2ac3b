//! `POST …/api-tokens`

use actix_web::test::TestRequest;
use latchkey_testkit::{
    app::{As, NOW, QUOTA, TOKENS, TestApp},
    token_json::token_json,
};
use serde_json::{Value, json};

fn body() -> Value {
    json!({"tokenName": "x", "type": "client"})
}

fn with(member: &str, value: Value) -> Value {
    let mut body = body();
    body[member] = value;
    body
}

#[actix_web::test]
async fn the_answer_is_the_token_with_its_secret() {
    let app = TestApp::new().await;
    let asked = json!({
        "username": "  web shop ", "type": "BACKEND", "environment": "production", "project": "default",
        "expiresAt": "2030-01-01T00:00:00+02:00", "secret": "mine", "unknown": {"a": []}
    });
    let answer = app.post(As::Member, TOKENS, &asked).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (201, Some("api-tokens")));
    let token = answer.json();
    let secret = token["secret"].as_str().expect("text").to_owned();
    assert!(secret.starts_with("default:production."), "{secret}");
    let expected = token_json("web shop", &secret, NOW)
        .with("environment", "production")
        .with("expiresAt", "2029-12-31T22:00:00.000Z");
    assert_eq!(token, expected.clone().with("type", "backend"), "as the request names it");
    assert_eq!(app.get(As::Member, TOKENS).await.json()["tokens"][0], expected);
}

#[actix_web::test]
async fn every_problem_is_listed_at_its_member() {
    let app = TestApp::new().await;
    let asked = json!({
        "tokenName": 5, "username": "u", "type": "proxy", "environment": "a b", "project": "default",
        "projects": "default", "expiresAt": true
    });
    let answer = app.post(As::Admin, TOKENS, &asked).await;
    answer.is(400, "BadDataError");
    insta::assert_json_snapshot!(answer.json()["details"], @r#"
    [
      {
        "message": "The environment name may contain only the characters A-Z, a-z, 0-9, _, ~, . and -.",
        "path": "/body/environment"
      },
      {
        "message": "expiresAt must be a time as in RFC 3339, such as 2030-01-31T12:00:00Z.",
        "path": "/body/expiresAt"
      },
      {
        "message": "Send projects or project, not both.",
        "path": "/body/project"
      },
      {
        "message": "type must be client (or backend), frontend or admin.",
        "path": "/body/type"
      },
      {
        "message": "username is the old name of tokenName, and says something else: send tokenName alone.",
        "path": "/body/username"
      }
    ]
    "#);
    assert_eq!(app.get(As::Admin, TOKENS).await.json(), json!({"tokens": []}));
}

#[actix_web::test]
async fn what_a_project_cannot_have_is_refused() {
    let app = TestApp::new().await;
    for (asked, at) in [
        (with("type", json!("admin")), "/body/type"),
        (with("projects", json!(["elsewhere"])), "/body/projects"),
        (with("projects", json!(["*"])), "/body/projects"),
        (with("projects", json!(["default", "default"])), "/body/projects"),
        (with("projects", json!(["default", 5])), "/body/projects"),
        (with("projects", Value::Null), "/body/projects"),
        (with("environment", json!("*")), "/body/environment"),
        (with("environment", json!("nowhere")), "/body/environment"),
        (with("tokenName", json!(" ")), "/body/tokenName"),
        (with("tokenName", json!("a\u{0}b")), "/body/tokenName"),
        (with("tokenName", json!("é".repeat(256))), "/body/tokenName"),
        (with("expiresAt", json!("2016-12-31T23:59:60Z")), "/body/expiresAt"),
    ] {
        let answer = app.post(As::Admin, TOKENS, &asked).await;
        answer.is(400, "BadDataError");
        assert_eq!(answer.json()["details"][0]["path"], at, "{asked}");
    }
    assert_eq!(app.get(As::Admin, TOKENS).await.json(), json!({"tokens": []}));
}

#[actix_web::test]
async fn an_empty_list_of_projects_counts_as_absent() {
    let app = TestApp::new().await;
    let token = app.post(As::Admin, TOKENS, &with("projects", json!([]))).await.json();
    assert_eq!(token["projects"], json!(["default"]));
}

#[actix_web::test]
async fn a_full_project_takes_no_more() {
    let app = TestApp::new().await;
    for _ in 0..QUOTA {
        assert_eq!(app.post(As::Admin, TOKENS, &body()).await.status, 201);
    }
    app.post(As::Admin, TOKENS, &body()).await.is(400, "ExceedsLimitError");
    app.post(As::Admin, TOKENS, &with("environment", json!("nowhere"))).await.is(400, "BadDataError");
}

#[actix_web::test]
async fn checks_come_in_order_401_403_400_404() {
    let app = TestApp::new().await;
    let broken = |path: &str| {
        let request = TestRequest::post().uri(path).insert_header(("content-type", "application/json"));
        request.set_payload("{\"type\":")
    };
    let nope = "/api/admin/projects/nope/api-tokens";
    app.send(As::Anonymous, broken(nope)).await.is(401, "AuthenticationRequired");
    app.send(As::Viewer, broken(nope)).await.is(403, "NoAccessError");
    app.send(As::Admin, broken(nope)).await.is(400, "BadDataError");
    app.post(As::Admin, nope, &body()).await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn the_body_must_be_json_with_its_content_type() {
    let app = TestApp::new().await;
    let good = body().to_string();
    for (content_type, status) in [
        (Some("application/json"), 201),
        (Some("APPLICATION/JSON; Charset=\"UTF-8\"; x=y"), 201),
        (Some("application/json; charset=latin1"), 415),
        (Some("application/vnd.api+json"), 415),
        (Some("text/plain"), 415),
        (None, 415),
    ] {
        let mut request = TestRequest::post().uri(TOKENS).set_payload(good.clone());
        if let Some(content_type) = content_type {
            request = request.insert_header(("content-type", content_type));
        }
        assert_eq!(app.send(As::Admin, request).await.status.as_u16(), status, "{content_type:?}");
    }
    let json = || TestRequest::post().uri(TOKENS).insert_header(("content-type", "application/json"));
    let zipped = json().insert_header(("content-encoding", "gzip")).set_payload(good);
    app.send(As::Admin, zipped).await.is(415, "ContentTypeError");
    app.send(As::Admin, json().set_payload(vec![b'['; 40_000])).await.is(400, "BadDataError");
    app.send(As::Admin, json().set_payload(&b"{\"type\":\"\xff\"}"[..])).await.is(400, "BadDataError");
    app.send(As::Admin, json().set_payload(vec![b' '; 1024 * 1024 + 1]))
        .await
        .is(413, "PayloadTooLargeError");
}

#[actix_web::test]
async fn not_every_problem_of_a_long_list_is_told() {
    let app = TestApp::new().await;
    for projects in [vec!["!".to_owned(); 200_000], vec!["default".to_owned(); 80_000]] {
        let answer = app.post(As::Member, TOKENS, &with("projects", json!(projects))).await;
        answer.is(400, "BadDataError");
        assert_eq!(answer.json()["details"].as_array().map(Vec::len), Some(100));
    }
    let many: serde_json::Map<_, _> = (0..500).map(|number| (format!("m{number}"), json!(1))).collect();
    let answer = app.post(As::Admin, "/api/admin/environments", &Value::Object(many)).await;
    answer.is(400, "BadDataError");
    assert!(answer.json()["details"].as_array().is_some_and(|details| details.len() <= 100));
}

#[actix_web::test]
async fn a_long_list_of_projects_is_read_at_once() {
    let app = TestApp::new().await;
    let projects: Vec<String> = (0..90_000).map(|number| format!("p{number}")).collect();
    // Comparing each entry with all others took minutes.
    app.post(As::Root, "/api/admin/api-tokens", &with("projects", json!(projects)))
        .await
        .is(400, "BadDataError");
}
