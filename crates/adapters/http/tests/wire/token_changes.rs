//! Changes of tokens: `PUT …/api-tokens/{token}`

use actix_web::test::TestRequest;
use latchkey_domain::TokenAccess;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use crate::{
    expectations::{ADMINS, event_count, newest_event, only, refused_for},
    instance_tokens::{ALL, made, named},
};

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
