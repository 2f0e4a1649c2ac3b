//! The header of warnings about expiries that have passed and about tokens that are not there.

use actix_web::{http::header::ORIGIN, test::TestRequest};
use latchkey_testkit::app::{As, NOW, TOKENS, TestApp};
use serde_json::{Value, json};

use crate::{
    instance_tokens::{ALL, made},
    unknown_members::WARNING,
};

const PAST: &str = "2001-01-01T00:00:00Z";
const FUTURE: &str = "2030-01-01T00:00:00Z";
const EXPIRED: Option<&str> = Some("already-expired");
const NO_TOKEN: Option<&str> = Some("no-such-token");

fn token(expires_at: impl Into<Value>) -> Value {
    json!({"tokenName": "x", "type": "client", "expiresAt": expires_at.into()})
}

#[actix_web::test]
async fn a_token_that_has_expired_when_it_is_created_is_warned_of() {
    let app = TestApp::without_quota().await;
    for path in [TOKENS, ALL] {
        for (end, expected) in
            [(json!(PAST), EXPIRED), (json!(NOW), EXPIRED), (json!(FUTURE), None), (Value::Null, None)]
        {
            let answer = app.post(As::Root, path, &token(end.clone())).await;
            assert_eq!((answer.status.as_u16(), answer.header(WARNING)), (201, expected), "{path} {end}");
        }
        let batch = format!("{path}/batch");
        for (ends, expected) in [([FUTURE, PAST], EXPIRED), ([PAST, PAST], EXPIRED), ([FUTURE, FUTURE], None)]
        {
            let answer = app.post(As::Root, &batch, &json!({"tokens": ends.map(token)})).await;
            assert_eq!((answer.status.as_u16(), answer.header(WARNING)), (201, expected), "{batch} {ends:?}");
        }
    }
}

#[actix_web::test]
async fn an_expiry_that_is_moved_into_the_past_is_warned_of() {
    let app = TestApp::new().await;
    let path = format!("{ALL}/{}", made(&app, "t", "client").await);
    for (end, expected) in [(FUTURE, None), (PAST, EXPIRED), (PAST, EXPIRED), (NOW, EXPIRED), (FUTURE, None)]
    {
        let answer = app.put(As::Root, &path, &json!({"expiresAt": end})).await;
        assert_eq!((answer.status.as_u16(), answer.header(WARNING)), (200, expected), "{end}");
        assert_eq!(answer.bytes.len(), 0);
    }
}

#[actix_web::test]
async fn a_change_of_a_token_that_is_not_there_succeeds_with_a_warning() {
    let app = TestApp::new().await;
    let secret = made(&app, "t", "client").await;
    let answer = app.delete(As::Root, &format!("{ALL}/{secret}")).await;
    assert_eq!((answer.status.as_u16(), answer.header(WARNING)), (200, None));
    for token in [&secret, "none", "a%20b", "%20", "%C3%A9", "9c40958a-daac-400e-98fb-3bb438567008"] {
        let path = format!("{ALL}/{token}");
        for end in [PAST, FUTURE] {
            let answer = app.put(As::Root, &path, &json!({"expiresAt": end})).await;
            assert_eq!((answer.status.as_u16(), answer.header(WARNING)), (200, NO_TOKEN), "{token}");
            assert_eq!(answer.bytes.len(), 0);
        }
        let answer = app.delete(As::Root, &path).await;
        assert_eq!((answer.status.as_u16(), answer.header(WARNING)), (200, NO_TOKEN), "{token}");
        assert_eq!(answer.bytes.len(), 0);
    }
}

#[actix_web::test]
async fn several_warnings_are_one_list() {
    let app = TestApp::new().await;
    let mut body = token(PAST);
    body["foo"] = json!(1);
    let answer = app.post(As::Root, TOKENS, &body).await;
    assert_eq!(answer.header(WARNING), Some("unknown-member;name=\"foo\", already-expired"));
    let answer = app.put(As::Root, &format!("{ALL}/none"), &json!({"expiresAt": FUTURE, "foo": 1})).await;
    assert_eq!(answer.header(WARNING), Some("unknown-member;name=\"foo\", no-such-token"));
}

#[actix_web::test]
async fn what_is_refused_is_not_warned_of_but_for_members_that_were_ignored() {
    let app = TestApp::new().await;
    let mut body = token(PAST);
    body["environment"] = json!("nosuch");
    assert_eq!(app.post(As::Root, TOKENS, &body).await.header(WARNING), None);
    body["foo"] = json!(1);
    let answer = app.post(As::Root, TOKENS, &body).await;
    answer.is(400, "BadDataError");
    assert_eq!(answer.header(WARNING), Some("unknown-member;name=\"foo\""));
    // A body is not read before the caller is known to have the permission.
    for (who, status) in [(As::Unknown, 401), (As::Viewer, 403)] {
        let answer = app.post(who, TOKENS, &body).await;
        assert_eq!((answer.status.as_u16(), answer.header(WARNING)), (status, None));
        let answer = app.delete(who, &format!("{ALL}/none")).await;
        assert_eq!((answer.status.as_u16(), answer.header(WARNING)), (status, None));
    }
}

#[actix_web::test]
async fn scripts_of_named_origins_can_read_the_header() {
    const CONSOLE: &str = "https://console.example.com";
    let app = TestApp::with(|settings| settings.http.cors_origins = vec![CONSOLE.to_owned()]).await;
    let request = TestRequest::delete().uri("/api/admin/api-tokens/none").insert_header((ORIGIN, CONSOLE));
    let answer = app.send(As::Admin, request).await;
    assert_eq!(answer.header(WARNING), NO_TOKEN);
    let exposed = answer.header("access-control-expose-headers").expect("headers");
    assert!(exposed.split(", ").any(|name| name == WARNING), "{exposed}");
}
