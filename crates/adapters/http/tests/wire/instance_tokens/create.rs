//! `POST …/api-tokens`

use actix_web::test::TestRequest;
use latchkey_testkit::{
    app::{As, NOW, QUOTA, TestApp},
    token_json::token_json,
};
use serde_json::{Value, json};

use super::{ALL, made, named};
use crate::expectations::{ADMINS, faults, newest_event, only, refused_for};

fn body() -> Value {
    json!({"tokenName": "x", "type": "client"})
}

fn with(member: &str, value: Value) -> Value {
    let mut body = body();
    body[member] = value;
    body
}

fn request() -> TestRequest {
    TestRequest::post().uri(ALL)
}

#[actix_web::test]
async fn the_answer_is_the_token_with_its_secret() {
    let app = TestApp::new().await;
    let answer = app.post(As::Root, ALL, &with("expiresAt", json!("2030-01-01T00:00:00Z"))).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (201, Some("api-tokens")));
    let token = answer.json();
    let secret = token["secret"].as_str().expect("text");
    assert!(secret.starts_with("*:development."), "{token}");
    assert_eq!(named(&app, "x").await, std::slice::from_ref(&token));
    let expected =
        token_json("x", secret, NOW).with_projects(&["*"]).with("expiresAt", "2030-01-01T00:00:00.000Z");
    assert_eq!(token, expected);

    let (kind, by, before, after) = newest_event(&app).await;
    assert_eq!((kind.as_str(), by.as_str(), before), ("api-token-created", "root@example.com", Value::Null));
    assert_eq!((&after["tokenName"], after.get("secret")), (&json!("x"), None));
}

#[actix_web::test]
async fn a_token_is_for_all_projects_or_for_those_that_are_named() {
    let app = TestApp::without_quota().await;
    for (asked, projects, prefix) in [
        (body(), json!(["*"]), "*:development."),
        (with("project", json!("*")), json!(["*"]), "*:development."),
        (with("project", json!("default")), json!(["default"]), "default:development."),
        (with("projects", json!(["default"])), json!(["default"]), "default:development."),
        (
            with("projects", json!(["elsewhere", "default"])),
            json!(["elsewhere", "default"]),
            "[]:development.",
        ),
        (with("projects", json!(["default", "nosuch", "*"])), json!(["*"]), "*:development."),
        (with("environment", json!("production")), json!(["*"]), "*:production."),
    ] {
        let answer = app.post(As::Root, ALL, &asked).await;
        assert_eq!(answer.status, 201, "{asked}: {}", answer.json());
        let token = answer.json();
        assert_eq!(token["projects"], projects, "{asked}");
        assert!(token["secret"].as_str().expect("text").starts_with(prefix), "{token}");
    }
}

#[actix_web::test]
async fn backend_is_stored_as_client_and_sent_back_in_that_response_alone() {
    let app = TestApp::without_quota().await;
    for kind in ["backend", "BACKEND", "Backend"] {
        let created = app.post(As::Root, ALL, &json!({"tokenName": kind, "type": kind})).await.json();
        assert_eq!(created["type"], "backend", "{kind}");
        assert_eq!(named(&app, kind).await[0]["type"], "client", "{kind}");
    }
    let created = app.post(As::Root, ALL, &with("type", json!("CLIENT"))).await.json();
    assert_eq!(created["type"], "client");
    let (_, _, _, after) = newest_event(&app).await;
    assert_eq!(after["type"], "client");
}

#[actix_web::test]
async fn both_names_are_accepted_if_they_are_the_same() {
    let app = TestApp::new().await;
    for (name, twin) in [(json!("ci"), json!("ci")), (json!("ci "), json!(" ci")), (json!(7), json!(7))] {
        let asked = json!({"tokenName": name, "username": twin, "type": "client"});
        let answer = app.post(As::Root, ALL, &asked).await;
        assert_eq!(answer.status, 201, "{asked}: {}", answer.json());
        assert_eq!(answer.json()["tokenName"], answer.json()["username"]);
    }
    let asked = json!({"tokenName": "ci", "username": "cd", "type": "client"});
    let answer = app.post(As::Root, ALL, &asked).await;
    assert_eq!(faults(&answer), ["/body/username"]);
    let message = answer.json()["details"][0]["message"].as_str().expect("text").to_owned();
    assert!(message.contains("tokenName") && message.contains("username"), "{message}");
}

#[actix_web::test]
async fn a_number_or_a_boolean_is_text() {
    let app = TestApp::without_quota().await;
    for (value, text) in [(json!(5), "5"), (json!(-1), "-1"), (json!(1.5), "1.5"), (json!(true), "true")] {
        let asked = json!({"username": value, "type": "client", "description": value});
        let answer = app.post(As::Root, ALL, &asked).await;
        assert_eq!(answer.status, 201, "{asked}: {}", answer.json());
        let token = answer.json();
        assert_eq!((&token["tokenName"], &token["description"]), (&json!(text), &json!(text)));
    }
    let project = json!({"id": 7, "name": 7});
    assert_eq!(app.post(As::Root, "/api/admin/projects", &project).await.status, 201);
    let created = app.post(As::Root, ALL, &with("projects", json!([7]))).await.json();
    assert_eq!(created["projects"], json!(["7"]));
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/tokenName", "/type"]),
        (json!([]), &[""]),
        (json!({"type": "client"}), &["/tokenName"]),
        (json!({"tokenName": "", "type": "admin"}), &["/tokenName"]),
        (with("tokenName", json!(" \t")), &["/tokenName"]),
        (with("tokenName", json!("a\u{0}b")), &["/tokenName"]),
        (with("tokenName", json!("x".repeat(256))), &["/tokenName"]),
        (with("tokenName", Value::Null), &["/tokenName"]),
        (with("username", json!("u")), &["/username"]),
        (with("type", json!("proxy")), &["/type"]),
        (with("type", Value::Null), &["/type"]),
        (with("environment", Value::Null), &["/environment"]),
        (with("environment", json!("nosuch")), &["/environment"]),
        (with("environment", json!("*")), &["/environment"]),
        (with("environment", json!("a b")), &["/environment"]),
        (with("projects", json!([])), &["/projects"]),
        (with("projects", json!(["default", "nosuch"])), &["/projects"]),
        (with("projects", json!(["default", "default"])), &["/projects"]),
        (with("projects", json!([null])), &["/projects"]),
        (with("projects", json!([5])), &["/projects"]),
        (with("projects", json!("default")), &["/projects"]),
        (with("projects", Value::Null), &["/projects"]),
        (with("project", json!("nosuch")), &["/projects"]),
        (with("project", json!("")), &["/project"]),
        (with("project", Value::Null), &["/project"]),
        (with("expiresAt", json!("tomorrow")), &["/expiresAt"]),
        (with("expiresAt", json!("2016-12-31T23:59:60Z")), &["/expiresAt"]),
        (with("expiresAt", json!(5)), &["/expiresAt"]),
        (
            json!({"tokenName": "x", "type": "client", "project": "default", "projects": ["default"]}),
            &["/project"],
        ),
    ];
    refused_for(&app, request, cases).await;
    assert_eq!(named(&app, "x").await, Vec::<Value>::new(), "nothing was made");
}

#[actix_web::test]
async fn admin_tokens_are_made_only_where_the_operator_allows_it() {
    let app = TestApp::new().await;
    let admin = json!({"tokenName": "a", "type": "admin"});
    for who in [As::Root, As::Admin] {
        app.post(who, ALL, &admin).await.is(403, "OperationDeniedError");
    }
    let app = TestApp::with(|settings| settings.use_cases.tokens.allow_admin = true).await;
    for asked in [
        admin.clone(),
        json!({"tokenName": "a", "type": "ADMIN", "environment": "*", "projects": ["*"], "expiresAt": null}),
    ] {
        let answer = app.post(As::Root, ALL, &asked).await;
        let token = answer.json();
        assert_eq!((answer.status.as_u16(), &token["type"]), (201, &json!("admin")), "{token}");
        assert_eq!((&token["environment"], &token["projects"]), (&json!("*"), &json!(["*"])));
        let secret = token["secret"].as_str().expect("text").to_owned();
        assert_eq!(app.send_by(&secret, TestRequest::get().uri(ALL)).await.status, 200);
    }
    for (member, value, at) in [
        ("environment", json!("development"), "/body/environment"),
        ("projects", json!(["default"]), "/body/projects"),
        ("project", json!("default"), "/body/projects"),
    ] {
        let mut asked = admin.clone();
        asked[member] = value;
        assert_eq!(faults(&app.post(As::Root, ALL, &asked).await), [at]);
    }
    let holder = app.holder_of(&["CREATE_CLIENT_API_TOKEN", "CREATE_FRONTEND_API_TOKEN"]).await;
    app.send_by(&holder, request().set_json(&admin)).await.is(403, "OperationDeniedError");
}

#[actix_web::test]
async fn there_are_no_more_tokens_than_there_may_be() {
    let app = TestApp::new().await;
    let mut status = 201;
    for count in 0..=QUOTA {
        let answer = app.post(As::Root, ALL, &with("project", json!("default"))).await;
        status = answer.status.as_u16();
        if count == QUOTA {
            answer.is(400, "ExceedsLimitError");
        }
    }
    assert_eq!(status, 400);
    made(&app, "of all projects", "client").await;
}

#[actix_web::test]
async fn the_body_must_be_json_with_its_content_type() {
    let app = TestApp::new().await;
    app.send(As::Root, request().set_payload("{}")).await.is(415, "ContentTypeError");
    let typed =
        |payload: Vec<u8>| request().insert_header(("content-type", "application/json")).set_payload(payload);
    app.send(As::Root, typed(b"{x".to_vec())).await.is(400, "BadDataError");
    app.send(As::Root, typed(vec![0xff])).await.is(400, "BadDataError");
    app.send(As::Root, typed(b"[".repeat(40_000))).await.is(400, "BadDataError");
    app.send(As::Root, typed(vec![b' '; 1024 * 1024 + 1])).await.is(413, "PayloadTooLargeError");
}

#[actix_web::test]
async fn creating_needs_the_permission_for_that_type() {
    let app = TestApp::without_quota().await;
    only(&app, ADMINS, 400, || request().set_json(json!({}))).await;
    let refused = app.post(As::Editor, ALL, &json!({})).await.json();
    let any_of = ["ADMIN", "CREATE_CLIENT_API_TOKEN", "CREATE_FRONTEND_API_TOKEN"];
    assert_eq!(refused["permissions"], json!(any_of), "before the body is read");
    for (permission, client, frontend) in
        [("CREATE_CLIENT_API_TOKEN", 201, 403), ("CREATE_FRONTEND_API_TOKEN", 403, 201)]
    {
        let holder = app.holder_of(&[permission]).await;
        for (kind, status) in [("client", client), ("frontend", frontend)] {
            let answer = app.send_by(&holder, request().set_json(with("type", json!(kind)))).await;
            assert_eq!(answer.status.as_u16(), status, "{permission} {kind}: {}", answer.json());
        }
    }
}

#[actix_web::test]
async fn other_sites_cannot_have_a_browser_create() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Root").await;
    let asked = || request().set_json(body());
    for (header, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        app.send_with(&cookie, asked().insert_header((header, value))).await.is(403, "OperationDeniedError");
    }
    assert_eq!(named(&app, "x").await, Vec::<Value>::new());
    assert_eq!(app.send_with(&cookie, asked()).await.status, 201);
}
