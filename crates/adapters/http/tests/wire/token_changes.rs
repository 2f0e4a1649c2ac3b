//! Changes of tokens: `PUT …/api-tokens/{token}` of the instance, then `PATCH`, which the route of a project and that of
//! the instance share, and with it the description of tokens.

use actix_web::{http::Method, test::TestRequest};
use latchkey_domain::{ProjectScope, ProjectSet, TokenAccess, TokenKind};
use latchkey_testkit::{
    app::{As, Response, TOKENS, TestApp},
    samples::{access, project_id},
};
use serde_json::{Value, json};

use crate::{
    expectations::{ADMINS, READERS, event_count, newest_event, only, refused_for},
    instance_tokens::{ALL, made, named},
};

const BOTH: [&str; 2] = [TOKENS, ALL];
const END: &str = "2031-01-01T00:00:00.000Z";

fn request(token: &str) -> TestRequest {
    TestRequest::put().uri(&format!("{ALL}/{token}"))
}

fn to_end() -> Value {
    json!({"expiresAt": END})
}

#[actix_web::test]
async fn the_end_changes_and_nothing_else() {
    let app = TestApp::new().await;
    let secret = made(&app, "t", "client").await;
    let mut expected = named(&app, "t").await;
    expected[0]["expiresAt"] = json!(END);
    let body = json!({
        "expiresAt": "2031-01-01T01:00:00+01:00", "tokenName": "u", "type": "admin", "projects": ["default"], "x": 1
    });
    let answer = app.put(As::Root, &format!("{ALL}/{secret}"), &body).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!(named(&app, "t").await, expected);
    let (kind, by, before, after) = newest_event(&app).await;
    assert_eq!((kind.as_str(), by.as_str()), ("api-token-updated", "root@example.com"));
    assert_eq!((&before["expiresAt"], &after["expiresAt"]), (&Value::Null, &json!(END)));
}

#[actix_web::test]
async fn a_token_is_named_by_its_secret_escaped_or_not_and_by_its_id() {
    let app = TestApp::new().await;
    let (secret, id) = app.token_and_id(TokenAccess::Admin).await;
    let escaped = secret.replace(':', "%3A").replace('*', "%2A");
    for (day, reference) in [secret, escaped, id].iter().enumerate() {
        let end = format!("2031-01-0{}T00:00:00.000Z", day + 1);
        app.put(As::Root, &format!("{ALL}/{reference}"), &json!({"expiresAt": end})).await;
        assert_eq!(named(&app, "given").await[0]["expiresAt"], json!(end), "{reference}");
    }
}

#[actix_web::test]
async fn a_moment_in_the_past_ends_a_token_at_once() {
    let app = TestApp::new().await;
    app.use_cases.follow_changes().await.expect("followed");
    let (secret, _) = app.token_and_id(TokenAccess::Admin).await;
    assert_eq!(app.send_by(&secret, TestRequest::get().uri(ALL)).await.status, 200);
    app.put(As::Root, &format!("{ALL}/{secret}"), &json!({"expiresAt": "2001-01-01T00:00:00Z"})).await;
    app.send_by(&secret, TestRequest::get().uri(ALL)).await.is(401, "UnauthorizedError");
    app.put(As::Root, &format!("{ALL}/{secret}"), &to_end()).await;
    assert_eq!(app.send_by(&secret, TestRequest::get().uri(ALL)).await.status, 200, "and back");
}

#[actix_web::test]
async fn a_change_to_what_it_is_leaves_no_event() {
    let app = TestApp::new().await;
    let secret = made(&app, "t", "client").await;
    app.put(As::Root, &format!("{ALL}/{secret}"), &to_end()).await;
    let before = event_count(&app).await;
    assert_eq!(app.put(As::Root, &format!("{ALL}/{secret}"), &to_end()).await.status, 200);
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn updating_an_unknown_token_succeeds() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    for token in
        ["none", "a%20b", "%20", "%C3%A9", "9c40958a-daac-400e-98fb-3bb438567008", &"x".repeat(2_000)]
    {
        let answer = app.send(As::Root, request(token).set_json(to_end())).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0), "{token}");
    }
    assert_eq!(event_count(&app).await, before);
    app.send(As::Root, request("%FF").set_json(to_end())).await.is(400, "BadDataError");
}

#[actix_web::test]
async fn the_end_is_required_and_cannot_be_taken_away() {
    let app = TestApp::new().await;
    let secret = made(&app, "t", "client").await;
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/expiresAt"]),
        (json!({"tokenName": "u"}), &["/expiresAt"]),
        (json!({"expiresAt": null}), &["/expiresAt"]),
        (json!({"expiresAt": ""}), &["/expiresAt"]),
        (json!({"expiresAt": 5}), &["/expiresAt"]),
        (json!({"expiresAt": ["a"]}), &["/expiresAt"]),
        (json!({"expiresAt": "2016-12-31T23:59:60Z"}), &["/expiresAt"]),
        (json!({"expiresAt": "2030-01-01T00:00:00+02"}), &["/expiresAt"]),
        (json!([]), &[""]),
    ];
    for token in [&secret, "none", "a%20b"] {
        refused_for(&app, || request(token), cases).await;
    }
    app.send(As::Root, request(&secret).set_payload("{}")).await.is(415, "ContentTypeError");
    let broken = request(&secret).insert_header(("content-type", "application/json")).set_payload("{x");
    app.send(As::Root, broken).await.is(400, "BadDataError");
    let large = request(&secret).insert_header(("content-type", "application/json"));
    app.send(As::Root, large.set_payload(vec![b' '; 1024 * 1024 + 1])).await.is(413, "PayloadTooLargeError");
    assert_eq!(named(&app, "t").await[0]["expiresAt"], Value::Null);
}

#[actix_web::test]
async fn updating_needs_the_permission_for_that_type() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 200, || request("none").set_json(to_end())).await;
    only(&app, ADMINS, 400, || request("none").set_json(json!({}))).await;
    let client = made(&app, "c", "client").await;
    let frontend = made(&app, "f", "frontend").await;
    let admin = app.token(TokenAccess::Admin).await;
    for (permission, statuses) in
        [("UPDATE_CLIENT_API_TOKEN", [200, 403, 403]), ("UPDATE_FRONTEND_API_TOKEN", [403, 200, 403])]
    {
        let holder = app.holder_of(&[permission]).await;
        for (token, status) in [&client, &frontend, &admin].into_iter().zip(statuses) {
            let answer = app.send_by(&holder, request(token).set_json(to_end())).await;
            assert_eq!(answer.status.as_u16(), status, "{permission} {token}");
            if status == 403 {
                answer.is(403, "OperationDeniedError");
            }
        }
    }
}

#[actix_web::test]
async fn other_sites_cannot_have_a_browser_change_it() {
    let app = TestApp::new().await;
    let secret = made(&app, "t", "client").await;
    let cookie = app.sign_in("Root").await;
    let asked = request(&secret).set_json(to_end()).insert_header(("sec-fetch-site", "same-site"));
    app.send_with(&cookie, asked).await.is(403, "OperationDeniedError");
    assert_eq!(named(&app, "t").await[0]["expiresAt"], Value::Null);
}

fn of_default() -> TokenAccess {
    access(TokenKind::Client, ProjectScope::one(project_id("default")))
}

fn patch_of(route: &str, token: &str) -> TestRequest {
    TestRequest::default().method(Method::PATCH).uri(&format!("{route}/{token}"))
}

async fn patch(app: &TestApp, route: &str, token: &str, change: Value) -> Response {
    app.send(As::Root, patch_of(route, token).set_json(change)).await
}

async fn created(app: &TestApp, route: &str, name: &str, description: &Value) -> Value {
    let body = json!({
        "tokenName": name, "type": "client", "projects": ["default"], "description": description
    });
    let answer = app.post(As::Root, route, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

#[actix_web::test]
async fn a_description_is_shown_wherever_its_token_is() {
    for route in BOTH {
        let app = TestApp::new().await;
        let token = created(&app, route, "t", &json!("  Reads flags.\nAsk Ed 🦀 ")).await;
        assert_eq!(token["description"], "Reads flags.\nAsk Ed 🦀");
        let secret = text(&token["secret"]);
        for path in [TOKENS.to_owned(), ALL.to_owned(), format!("{ALL}/t"), format!("{ALL}?limit=5")] {
            let listed = app.get(As::Root, &path).await.json();
            let tokens = listed["tokens"].as_array().expect("tokens");
            assert!(tokens.contains(&token), "{path}: {listed}");
        }
        assert_eq!(app.get(As::Root, &format!("{TOKENS}/{secret}")).await.json(), token);
        let rotated = app.post(As::Root, &format!("{route}/{secret}/rotate"), &json!({})).await;
        assert_eq!(rotated.json()["description"], token["description"]);
        let (_, _, _, event) = newest_event(&app).await;
        assert_eq!(event["description"], token["description"]);
    }
}

#[actix_web::test]
async fn a_token_without_a_description_looks_as_ever() {
    let app = TestApp::new().await;
    for route in BOTH {
        for absent in [None, Some(Value::Null)] {
            let mut body = json!({"tokenName": "t", "type": "client"});
            body.as_object_mut()
                .expect("an object")
                .extend(absent.map(|null| ("description".to_owned(), null)));
            let token = app.post(As::Root, route, &body).await.json();
            assert!(token.get("secret").is_some() && token.get("description").is_none(), "{token}");
        }
    }
}

#[actix_web::test]
async fn absent_members_stay_null_removes_and_the_answer_is_the_token() {
    for route in BOTH {
        let app = TestApp::new().await;
        let (secret, id) = app.token_and_id(of_default()).await;
        let mut expected = app.get(As::Root, &format!("{TOKENS}/{id}")).await.json();
        let steps = [
            (json!({"description": "one"}), Some("one"), Value::Null),
            (json!({"expiresAt": "2031-01-01T01:00:00+01:00"}), Some("one"), json!(END)),
            (json!({"description": "two", "expiresAt": null}), Some("two"), Value::Null),
            (json!({"description": null, "expiresAt": END}), None, json!(END)),
            (json!({"description": ""}), Some(""), json!(END)),
        ];
        for (change, description, end) in steps {
            let before = expected.clone();
            expected["expiresAt"] = end;
            expected.as_object_mut().expect("an object").remove("description");
            if let Some(description) = description {
                expected["description"] = json!(description);
            }
            let answer = patch(&app, route, &secret, change.clone()).await;
            assert_eq!((answer.status.as_u16(), answer.json()), (200, expected.clone()), "{route} {change}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(app.get(As::Root, &format!("{TOKENS}/{id}")).await.json(), expected);
            let (kind, by, old, new) = newest_event(&app).await;
            assert_eq!((kind.as_str(), by.as_str()), ("api-token-updated", "root@example.com"));
            for (event, token) in [(old, &before), (new, &expected)] {
                assert_eq!(event.get("description"), token.get("description"), "{change}");
                assert_eq!(event["expiresAt"], token["expiresAt"], "{change}");
            }
        }
    }
}

#[actix_web::test]
async fn a_patch_that_changes_nothing_leaves_no_event() {
    let app = TestApp::new().await;
    for route in BOTH {
        let token = created(&app, route, "t", &json!("x")).await;
        let before = event_count(&app).await;
        for change in [json!({}), json!({"description": " x "}), json!({"expiresAt": null})] {
            let answer = patch(&app, route, text(&token["secret"]), change).await;
            assert_eq!((answer.status.as_u16(), answer.json()), (200, token.clone()));
        }
        assert_eq!(event_count(&app).await, before);
    }
}

#[actix_web::test]
async fn an_end_in_the_past_ends_a_token_at_once() {
    for route in BOTH {
        let app = TestApp::new().await;
        app.use_cases.follow_changes().await.expect("followed");
        let secret = app.token(of_default()).await;
        assert_eq!(app.send_by(&secret, TestRequest::get().uri(TOKENS)).await.status, 403);
        patch(&app, route, &secret, json!({"expiresAt": "2001-01-01T00:00:00Z"})).await;
        assert_eq!(app.send_by(&secret, TestRequest::get().uri(TOKENS)).await.status, 401);
    }
}

#[actix_web::test]
async fn every_problem_of_a_patch_is_reported_and_nothing_changes() {
    let app = TestApp::new().await;
    let (secret, id) = app.token_and_id(of_default()).await;
    let token = app.get(As::Root, &format!("{TOKENS}/{id}")).await.json();
    let cases: &[(Value, &[&str])] = &[
        (json!({"description": "x".repeat(1_001)}), &["/description"]),
        (json!({"description": "a\u{0}b"}), &["/description"]),
        (json!({"description": [], "expiresAt": "soon"}), &["/description", "/expiresAt"]),
        (json!({"description": "good", "expiresAt": ""}), &["/expiresAt"]),
        (json!({"description": "good", "tokenName": "u"}), &["/tokenName"]),
        (json!([]), &[""]),
        (json!("x"), &[""]),
    ];
    for route in BOTH {
        refused_for(&app, || patch_of(route, &secret), cases).await;
        app.send(As::Root, patch_of(route, &secret).set_payload("{}")).await.is(415, "ContentTypeError");
        let large = patch_of(route, &secret).insert_header(("content-type", "application/json"));
        let large = large.set_payload(vec![b' '; 1024 * 1024 + 1]);
        app.send(As::Root, large).await.is(413, "PayloadTooLargeError");
        assert_eq!(app.get(As::Root, &format!("{TOKENS}/{id}")).await.json(), token);
        let merge_patch = patch_of(route, &secret)
            .insert_header(("content-type", "application/merge-patch+json"))
            .set_payload(json!({"description": "🦀".repeat(1_000)}).to_string());
        assert_eq!(app.send(As::Root, merge_patch).await.status, 200);
        assert_eq!(patch(&app, route, &secret, json!({"description": null})).await.status, 200);
    }
    let body = json!({"tokenName": "t", "type": "client"});
    for (description, path) in [(json!("x".repeat(1_001)), "/description"), (json!(["x"]), "/description")] {
        let mut body = body.clone();
        body["description"] = description;
        for route in BOTH {
            refused_for(&app, || TestRequest::post().uri(route), &[(body.clone(), &[path])]).await;
        }
    }
}

#[actix_web::test]
async fn only_a_token_that_is_there_and_belongs_here_is_changed() {
    let app = TestApp::new().await;
    app.project("other").await;
    let change = || json!({"description": "x"});
    for token in ["none", "a%20b", "9c40958a-daac-400e-98fb-3bb438567008"] {
        for route in BOTH {
            patch(&app, route, token, change()).await.is(404, "NotFoundError");
        }
    }
    let elsewhere = app.token(access(TokenKind::Client, ProjectScope::one(project_id("other")))).await;
    patch(&app, TOKENS, &elsewhere, change()).await.is(404, "NotFoundError");
    let several = ProjectSet::new([project_id("default"), project_id("other")]).expect("projects");
    let shared = app.token(access(TokenKind::Client, ProjectScope::Only(several))).await;
    patch(&app, TOKENS, &shared, change()).await.is(400, "BadDataError");
    assert_eq!(patch(&app, ALL, &shared, change()).await.status, 200);
    let old = app.token(of_default()).await;
    app.post(As::Root, &format!("{ALL}/{old}/rotate"), &json!({"overlap": "PT1H"})).await;
    for route in BOTH {
        patch(&app, route, &old, change()).await.is(400, "BadDataError");
    }
}

#[actix_web::test]
async fn a_change_needs_the_permissions_that_can_make_and_end_a_token() {
    let app = TestApp::new().await;
    let change = || json!({"description": "x"});
    only(&app, READERS, 404, || patch_of(TOKENS, "none").set_json(change())).await;
    only(&app, ADMINS, 404, || patch_of(ALL, "none").set_json(change())).await;
    only(&app, ADMINS, 400, || patch_of(ALL, "none").set_json(json!({"description": []}))).await;
    let client = app.token(of_default()).await;
    for (permission, status) in [("UPDATE_CLIENT_API_TOKEN", 200), ("UPDATE_FRONTEND_API_TOKEN", 403)] {
        let holder = app.holder_of(&[permission]).await;
        let answer = app.send_by(&holder, patch_of(ALL, &client).set_json(change())).await;
        assert_eq!(answer.status.as_u16(), status, "{permission}");
    }
}

#[actix_web::test]
async fn tokens_are_found_by_a_part_of_their_description() {
    let app = TestApp::new().await;
    for (name, description) in [("a", json!("Web checkout")), ("b", json!("web 100%")), ("c", Value::Null)] {
        created(&app, TOKENS, name, &description).await;
    }
    for (query, expected) in [
        ("description=eb", vec!["a", "b"]),
        ("description=web", vec!["b"]),
        ("description=100%25", vec!["b"]),
        ("description=eb&name=a", vec!["a"]),
        ("description=eb&limit=1", vec!["a"]),
        ("description=none", vec![]),
    ] {
        for route in BOTH {
            let found = app.get(As::Root, &format!("{route}?{query}")).await.json();
            let tokens = found["tokens"].as_array().expect("tokens");
            let names: Vec<_> = tokens.iter().map(|token| text(&token["tokenName"])).collect();
            assert_eq!(names, expected, "{route} {query}");
        }
    }
}
