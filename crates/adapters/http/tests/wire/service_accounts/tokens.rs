//! `…/service-account/{id}/token` and `…/{tokenId}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, PERSONAL_TOKENS, TOKENS, TestApp};
use serde_json::{Value, json};

use super::{ACCOUNTS, UNKNOWN_ID, made, path_of, token_of};
use crate::expectations::{ADMINS, event_count, faults, newest_event, newest_events, only, refused_for};

fn tokens_of(id: i64) -> String {
    format!("{}/token", path_of(id))
}

fn token(id: i64, token: i64) -> String {
    format!("{}/{token}", tokens_of(id))
}

fn body(description: &str) -> Value {
    json!({"description": description, "expiresAt": "2030-01-01T00:00:00Z"})
}

#[actix_web::test]
async fn a_token_is_shown_once_and_acts_for_the_account() {
    let app = TestApp::new().await;
    let id = made(&app, "deploy", json!("Editor")).await;
    let answer = app.post(As::Root, &tokens_of(id), &body("deploy")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (201, None));
    let created = answer.json();
    let secret = created["secret"].as_str().expect("text").to_owned();
    assert!(secret.starts_with("user:"), "{secret}");
    let expected = json!({
        "id": created["id"], "description": "deploy", "expiresAt": "2030-01-01T00:00:00.000Z", "userId": id,
        "createdAt": "2023-04-19T08:15:14.000Z", "seenAt": null
    });
    assert_eq!(app.get(As::Root, &tokens_of(id)).await.json(), json!({"pats": [expected]}));
    assert_eq!(app.send_by(&secret, TestRequest::get().uri(TOKENS)).await.status, 200);
    let me = app.send_by(&secret, TestRequest::get().uri("/api/admin/user")).await.json();
    assert_eq!((&me["user"]["accountType"], &me["user"]["id"]), (&json!("Service Account"), &json!(id)));
    let (kind, by, before, after) = newest_event(&app).await;
    assert_eq!((kind.as_str(), by.as_str(), before), ("pat-created", "root@example.com", Value::Null));
    assert_eq!(after["description"], "deploy");
    let random = secret.trim_start_matches("user:");
    assert!(!json!(newest_events(&app, 100).await).to_string().contains(random));
}

#[actix_web::test]
async fn a_token_is_refused_from_its_deletion_on() {
    let app = TestApp::new().await;
    app.use_cases.follow_changes().await.expect("followed");
    let id = made(&app, "deploy", json!(2)).await;
    let (token_id, secret) = token_of(&app, id).await;
    assert_eq!(app.send_by(&secret, TestRequest::get().uri(TOKENS)).await.status, 200);
    let answer = app.delete(As::Root, &token(id, token_id)).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    app.send_by(&secret, TestRequest::get().uri(TOKENS)).await.is(401, "UnauthorizedError");
    assert_eq!(newest_event(&app).await.0, "pat-deleted");
    app.delete(As::Root, &token(id, token_id)).await.is(404, "NotFoundError");
    assert_eq!(app.get(As::Root, &tokens_of(id)).await.json(), json!({"pats": []}));
}

#[actix_web::test]
async fn a_token_of_another_account_is_not_found() {
    let app = TestApp::new().await;
    let (id, other) = (made(&app, "a", json!(2)).await, made(&app, "b", json!(2)).await);
    let (token_id, secret) = token_of(&app, id).await;
    let before = event_count(&app).await;
    let viewer = app.user_of(As::Viewer).await.id.0;
    let viewers = app.get(As::Viewer, "/api/admin/user/tokens").await.json()["pats"][0]["id"].clone();
    let viewers = viewers.as_i64().expect("an id");
    for path in
        [token(other, token_id), token(viewer, viewers), token(id, viewers), token(UNKNOWN_ID, token_id)]
    {
        app.delete(As::Root, &path).await.is(404, "NotFoundError");
    }
    assert_eq!(event_count(&app).await, before);
    assert_eq!(app.send_by(&secret, TestRequest::get().uri(TOKENS)).await.status, 200);
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let id = made(&app, "deploy", json!(3)).await;
    token_of(&app, id).await;
    let request = || TestRequest::post().uri(&tokens_of(id));
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/description", "/expiresAt"]),
        (json!([]), &[""]),
        (json!({"description": "", "expiresAt": null}), &["/description", "/expiresAt"]),
        (json!({"description": "x", "expiresAt": "2001-01-01T00:00:00Z"}), &["/expiresAt"]),
        (json!({"description": "x", "expiresAt": "soon"}), &["/expiresAt"]),
    ];
    refused_for(&app, request, cases).await;
    app.post(As::Root, &tokens_of(id), &body("deploy")).await.is(409, "NameExistsError");
    app.send(As::Root, request().set_payload("{}")).await.is(415, "ContentTypeError");
    for count in 1..PERSONAL_TOKENS {
        let answer = app.post(As::Root, &tokens_of(id), &body(&count.to_string())).await;
        assert_eq!(answer.status, 201);
    }
    app.post(As::Root, &tokens_of(id), &body("one more")).await.is(403, "OperationDeniedError");
}

#[actix_web::test]
async fn what_is_no_service_account_is_not_found() {
    let app = TestApp::new().await;
    let person = app.user_of(As::Viewer).await.id.0;
    for id in [UNKNOWN_ID, person] {
        app.get(As::Root, &tokens_of(id)).await.is(404, "NotFoundError");
        app.post(As::Root, &tokens_of(id), &body("x")).await.is(404, "NotFoundError");
        app.post(As::Root, &tokens_of(id), &json!({})).await.is(400, "BadDataError");
    }
    assert_eq!(faults(&app.get(As::Root, &format!("{ACCOUNTS}/x/token")).await), ["/params/id"]);
    assert_eq!(faults(&app.delete(As::Root, &format!("{ACCOUNTS}/x/token/1")).await), ["/params/id"]);
    assert_eq!(faults(&app.delete(As::Root, &format!("{ACCOUNTS}/1/token/x")).await), ["/params/tokenId"]);
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    let id = made(&app, "deploy", json!(3)).await;
    only(&app, ADMINS, 200, || TestRequest::get().uri(&tokens_of(id))).await;
    only(&app, ADMINS, 400, || TestRequest::post().uri(&tokens_of(id)).set_json(json!({}))).await;
    only(&app, ADMINS, 404, || TestRequest::delete().uri(&token(id, UNKNOWN_ID))).await;
}

#[actix_web::test]
async fn other_sites_cannot_have_a_browser_change_them() {
    let app = TestApp::new().await;
    let id = made(&app, "deploy", json!(1)).await;
    let (token_id, _) = token_of(&app, id).await;
    let cookie = app.sign_in("Root").await;
    for asked in [
        TestRequest::post().uri(&tokens_of(id)).set_json(body("x")),
        TestRequest::delete().uri(&token(id, token_id)),
    ] {
        let asked = asked.insert_header(("sec-fetch-site", "cross-site"));
        app.send_with(&cookie, asked).await.is(403, "OperationDeniedError");
    }
}
