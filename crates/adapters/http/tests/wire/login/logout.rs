//! `GET` and `POST /logout`

use actix_web::{http::Method, test::TestRequest};
use latchkey_testkit::app::{As, Response, TestApp};

use super::{LOGOUT, me};
use crate::expectations::{event_count, newest_event};

const METHODS: [Method; 2] = [Method::GET, Method::POST];

fn request(method: &Method) -> TestRequest {
    TestRequest::with_uri(LOGOUT).method(method.clone())
}

#[track_caller]
fn forgets(answer: &Response) {
    assert_eq!(answer.header("clear-site-data"), Some(r#""cookies", "storage""#));
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.starts_with("latchkey-session=; "), "{cookie}");
    assert!(cookie.contains("Expires=Thu, 01 Jan 1970 00:00:00 GMT"), "{cookie}");
    assert!(cookie.contains("Path=/") && cookie.contains("HttpOnly"), "{cookie}");
}

#[actix_web::test]
async fn the_session_is_refused_from_the_answer_on_and_others_stay() {
    for method in METHODS {
        let app = TestApp::new().await;
        app.use_cases.follow_changes().await.expect("followed");
        let (cookie, other) = (app.sign_in("Viewer").await, app.sign_in("Viewer").await);
        assert_eq!(app.send_with(&cookie, me()).await.status, 200);
        let answer = app.send_with(&cookie, request(&method)).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
        forgets(&answer);
        app.send_with(&cookie, me()).await.is(401, "AuthenticationRequired");
        assert_eq!(app.send_with(&other, me()).await.status, 200);
        let (kind, by, ..) = newest_event(&app).await;
        assert_eq!((kind.as_str(), by.as_str()), ("session-ended", "viewer@example.com"));
        app.send_with(&cookie, request(&method)).await.is(401, "AuthenticationRequired");
    }
}

#[actix_web::test]
async fn a_browser_is_sent_to_the_start() {
    for method in METHODS {
        let app = TestApp::new().await;
        let cookie = app.sign_in("Viewer").await;
        let asked = request(&method).insert_header(("accept", "text/html,application/xhtml+xml,*/*;q=0.8"));
        let answer = app.send_with(&cookie, asked).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, Some("/")));
        forgets(&answer);
        app.send_with(&cookie, me()).await.is(401, "AuthenticationRequired");
    }
}

#[actix_web::test]
async fn the_request_body_is_ignored() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Viewer").await;
    let asked = request(&Method::POST).insert_header(("content-type", "text/plain")).set_payload("{x");
    assert_eq!(app.send_with(&cookie, asked).await.status, 200);
}

#[actix_web::test]
async fn only_signed_in_users_can_sign_out() {
    let app = TestApp::new().await;
    for method in METHODS {
        app.send(As::Anonymous, request(&method)).await.is(401, "AuthenticationRequired");
        app.send(As::Unknown, request(&method)).await.is(401, "UnauthorizedError");
        app.send(As::Admin, request(&method)).await.is(403, "OperationDeniedError");
        app.send(As::Client, request(&method)).await.is(403, "NoAccessError");
    }
}

#[actix_web::test]
async fn a_personal_token_has_no_session_to_end() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Viewer").await;
    let before = event_count(&app).await;
    let answer = app.send(As::Viewer, request(&Method::POST)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(event_count(&app).await, before);
    assert_eq!(app.send_with(&cookie, me()).await.status, 200);
    assert_eq!(app.send(As::Viewer, me()).await.status, 200);
}
