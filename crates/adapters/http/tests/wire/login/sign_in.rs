//! `POST /auth/simple/login`

use std::{net::IpAddr, time::Duration};

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, PASSWORD, SESSION, SESSIONS, TestApp};
use serde_json::{Value, json};

use super::{LOGIN, attempt, me};
use crate::expectations::{faults, newest_event, newest_events};

#[actix_web::test]
async fn the_answer_is_the_user_and_a_cookie() {
    let app = TestApp::new().await;
    let answer = app.send(As::Anonymous, attempt("Viewer", PASSWORD)).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, Some("no-store")));
    insta::assert_json_snapshot!(answer.json(), @r#"
    {
      "accountType": "User",
      "activeSessions": 3,
      "createdAt": "2023-04-19T08:15:14.000Z",
      "deletedSessions": 0,
      "email": "viewer@example.com",
      "id": 3,
      "imageUrl": "https://gravatar.com/avatar/0ad80c7f6dff0dceded893acb06a69e86b27b9f978bc164cee272714dc4cac9b?s=42&d=retro&r=g",
      "isAPI": false,
      "loginAttempts": 0,
      "rootRole": 3,
      "scimId": null,
      "seenAt": null,
      "username": "Viewer"
    }
    "#);
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    let (pair, rest) = cookie.split_once("; ").expect("attributes");
    assert!(pair.starts_with("latchkey-session=session:"), "{cookie}");
    let mut attributes: Vec<_> = rest.split("; ").collect();
    attributes.sort_unstable();
    let expected = ["Expires=Wed, 19 Apr 2023 09:15:14 GMT", "HttpOnly", "Path=/", "SameSite=Lax"];
    assert_eq!(attributes, expected);
    assert_eq!(app.send_with(pair, me()).await.json()["user"]["username"], "Viewer");
    let (kind, by, before, _) = newest_event(&app).await;
    assert_eq!((kind.as_str(), by.as_str(), before), ("session-started", "viewer@example.com", Value::Null));
    let random = pair.trim_start_matches("latchkey-session=session:");
    assert!(!json!(newest_events(&app, 100).await).to_string().contains(random), "never a secret");
}

#[actix_web::test]
async fn users_sign_in_by_user_name_or_address_in_any_case() {
    let app = TestApp::new().await;
    for (login, status) in [
        ("Viewer", 200),
        ("viewer", 401),
        ("VIEWER", 401),
        ("viewer@example.com", 200),
        ("VIEWER@Example.COM", 200),
        ("viewer@example.org", 401),
    ] {
        assert_eq!(
            app.send(As::Anonymous, attempt(login, PASSWORD)).await.status.as_u16(),
            status,
            "{login}"
        );
    }
}

#[actix_web::test]
async fn a_wrong_pair_is_refused_in_the_same_words_whatever_is_wrong() {
    let app = TestApp::new().await;
    let mut bodies = Vec::new();
    for (login, password) in
        [("Viewer", "wrong horse"), ("Viewer", ""), ("Viewer", "Correct horse"), ("unknown", PASSWORD)]
    {
        let answer = app.send(As::Anonymous, attempt(login, password)).await;
        answer.is(401, "PasswordMismatch");
        assert_eq!((answer.header("set-cookie"), answer.header("www-authenticate")), (None, None));
        let mut body = answer.json();
        body["id"] = json!("[uuid]");
        bodies.push(body);
    }
    bodies.dedup();
    let message = "The provided username and password do not match.";
    let expected = json!({
        "id": "[uuid]", "name": "PasswordMismatch", "message": message, "details": [{"message": message}]
    });
    assert_eq!(bodies, [expected]);
}

#[actix_web::test]
async fn a_user_without_a_password_cannot_sign_in() {
    let app = TestApp::new().await;
    let body = json!({"username": "newcomer", "rootRole": 1});
    app.post(As::Root, "/api/admin/user-admin", &body).await;
    for password in ["", "null", PASSWORD] {
        app.send(As::Anonymous, attempt("newcomer", password)).await.is(401, "PasswordMismatch");
    }
}

#[actix_web::test]
async fn every_member_has_its_rule_and_there_are_no_others() {
    let app = TestApp::new().await;
    for (body, at) in [
        (json!({}), vec!["/password", "/username"]),
        (json!({"username": "Viewer"}), vec!["/password"]),
        (json!({"password": PASSWORD}), vec!["/username"]),
        (json!({"username": null, "password": null}), vec!["/password", "/username"]),
        (json!({"username": [], "password": ["x"]}), vec!["/password", "/username"]),
        (json!({"username": "a\u{0}b", "password": "\u{0}"}), vec!["/username"]),
        (json!({"username": "Viewer", "password": PASSWORD, "x": 1}), vec!["/x"]),
        (json!([]), vec![""]),
    ] {
        let expected: Vec<_> = at.iter().map(|member| format!("/body{member}")).collect();
        let answer = app.post(As::Anonymous, LOGIN, &body).await;
        assert_eq!(faults(&answer), expected, "{body}");
        assert_eq!(answer.header("set-cookie"), None);
    }
    let form = TestRequest::post().uri(LOGIN).set_form([("username", "Viewer"), ("password", PASSWORD)]);
    app.send(As::Anonymous, form).await.is(415, "ContentTypeError");
    let typed = || TestRequest::post().uri(LOGIN).insert_header(("content-type", "application/json"));
    app.send(As::Anonymous, typed().set_payload("{x")).await.is(400, "BadDataError");
    app.send(As::Anonymous, typed().set_payload(vec![b' '; 1024 * 1024 + 1]))
        .await
        .is(413, "PayloadTooLargeError");
    app.get(As::Anonymous, LOGIN).await.is(405, "MethodNotAllowedError");
    let long = app.send(As::Anonymous, attempt(&"x".repeat(10_000), &"y".repeat(100_000))).await;
    long.is(401, "PasswordMismatch");
}

#[actix_web::test]
async fn the_oldest_session_makes_room_for_one_more() {
    let app = TestApp::new().await;
    let mut cookies = Vec::new();
    for _ in 0..SESSIONS {
        app.clock.advance(Duration::from_secs(1));
        cookies.push(app.sign_in("Viewer").await);
    }
    app.clock.advance(Duration::from_secs(1));
    let one_more = app.send(As::Anonymous, attempt("Viewer", PASSWORD)).await.json();
    assert_eq!((&one_more["deletedSessions"], &one_more["activeSessions"]), (&json!(1), &json!(SESSIONS)));
    assert_eq!(one_more["seenAt"], "2023-04-19T08:15:17.000Z", "the sign-in before this one");
    app.send_with(&cookies[0], me()).await.is(401, "AuthenticationRequired");
    assert_eq!(app.send_with(&cookies[1], me()).await.status, 200);
}

#[actix_web::test]
async fn a_session_ends_when_its_time_has_come_however_much_it_is_used() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Viewer").await;
    app.clock.advance(SESSION.saturating_sub(Duration::from_millis(1)));
    assert_eq!(app.send_with(&cookie, me()).await.status, 200);
    app.clock.advance(Duration::from_millis(1));
    app.send_with(&cookie, me()).await.is(401, "AuthenticationRequired");
}

#[actix_web::test]
async fn a_session_is_good_in_a_cookie_and_nowhere_else() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Viewer").await;
    let secret = cookie.trim_start_matches("latchkey-session=").to_owned();
    app.send_by(&secret, me()).await.is(401, "UnauthorizedError");
    let personal = app.secret_of(As::Viewer).expect("signed in").to_owned();
    for forged in [personal.as_str(), "session:abc", "", "s%3Aabc.def", &format!("{secret}x")] {
        let answer = app.send_with(&format!("latchkey-session={forged}"), me()).await;
        answer.is(401, "AuthenticationRequired");
    }
    app.send_with(&format!("other={secret}"), me()).await.is(401, "AuthenticationRequired");
    let among = format!("a=b; latchkey-session={secret}; c=d");
    assert_eq!(app.send_with(&among, me()).await.status, 200);
}

#[actix_web::test]
async fn an_api_token_goes_before_a_session_and_a_session_before_all_else() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Viewer").await;
    for (who, name) in [(As::Admin, "made"), (As::Root, "Viewer"), (As::Unknown, "Viewer")] {
        let asked = me().insert_header(("cookie", cookie.as_str()));
        assert_eq!(app.send(who, asked).await.json()["user"]["username"], name, "{who:?}");
    }
    let client = me().insert_header(("cookie", cookie.as_str()));
    app.send(As::Client, client).await.is(403, "NoAccessError");
}

#[actix_web::test]
async fn the_cookie_is_for_tls_alone_where_a_trusted_proxy_speaks_it() {
    let proxy: IpAddr = "192.0.2.1".parse().expect("an address");
    let app = TestApp::with(|settings| settings.http.trusted_proxies = vec![proxy.into()]).await;
    for (peer, scheme, secure) in [
        ("192.0.2.1:1", "https", true),
        ("192.0.2.1:1", "HTTPS", true),
        ("192.0.2.1:1", "http", false),
        ("192.0.2.2:1", "https", false),
    ] {
        let asked = attempt("Viewer", PASSWORD).peer_addr(peer.parse().expect("an address"));
        let answer = app.send(As::Anonymous, asked.insert_header(("x-forwarded-proto", scheme))).await;
        let cookie = answer.header("set-cookie").expect("a cookie");
        assert_eq!(cookie.contains("; Secure"), secure, "{peer} {scheme}");
    }
}
