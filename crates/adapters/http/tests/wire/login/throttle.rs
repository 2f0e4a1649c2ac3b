//! Repeated failures to sign in are slowed down and never forbidden.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use latchkey_testkit::app::{As, PASSWORD, Response, TestApp};

use super::attempt;

const HERE: &str = "198.51.100.7:1";
const ELSEWHERE: &str = "203.0.113.9:1";

async fn try_from(app: &TestApp, peer: &str, username: &str, password: &str) -> Response {
    let peer: SocketAddr = peer.parse().expect("an address");
    app.send(As::Anonymous, attempt(username, password).peer_addr(peer)).await
}

/// Fails five times in a row, which is not slowed down yet.
async fn fail_five_times(app: &TestApp, peer: &str, username: &str) {
    for _ in 0..5 {
        try_from(app, peer, username, "wrong horse").await.is(401, "PasswordMismatch");
    }
}

#[track_caller]
fn waits(answer: &Response, seconds: &str) {
    answer.is(429, "RateLimitError");
    assert_eq!((answer.header("retry-after"), answer.header("set-cookie")), (Some(seconds), None));
}

#[actix_web::test]
async fn the_sixth_try_has_to_wait_even_with_the_right_password() {
    let app = TestApp::new().await;
    fail_five_times(&app, HERE, "Viewer").await;
    for password in ["wrong horse", PASSWORD] {
        waits(&try_from(&app, HERE, "Viewer", password).await, "1");
    }
    app.clock.advance(Duration::from_millis(999));
    waits(&try_from(&app, HERE, "Viewer", PASSWORD).await, "1");
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(try_from(&app, HERE, "Viewer", PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn each_further_failure_doubles_the_wait_up_to_half_a_minute() {
    let app = TestApp::new().await;
    fail_five_times(&app, HERE, "Viewer").await;
    for seconds in [1, 2, 4, 8, 16, 30, 30] {
        waits(&try_from(&app, HERE, "Viewer", PASSWORD).await, &seconds.to_string());
        app.clock.advance(Duration::from_secs(seconds));
        try_from(&app, HERE, "Viewer", "wrong horse").await.is(401, "PasswordMismatch");
    }
    app.clock.advance(Duration::from_secs(30));
    assert_eq!(try_from(&app, HERE, "Viewer", PASSWORD).await.status, 200, "never for ever");
    fail_five_times(&app, HERE, "Viewer").await;
}

#[actix_web::test]
async fn failures_are_forgotten_in_time() {
    let app = TestApp::new().await;
    fail_five_times(&app, HERE, "Viewer").await;
    app.clock.advance(Duration::from_secs(15 * 60));
    fail_five_times(&app, HERE, "Viewer").await;
}

#[actix_web::test]
async fn an_address_that_tries_many_names_is_slowed_down() {
    let app = TestApp::new().await;
    for name in ["a", "b", "c", "d", "e"] {
        try_from(&app, HERE, name, "wrong horse").await.is(401, "PasswordMismatch");
    }
    waits(&try_from(&app, HERE, "Viewer", PASSWORD).await, "1");
    assert_eq!(try_from(&app, ELSEWHERE, "Viewer", PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn failures_from_another_address_do_not_lock_the_owner_out() {
    let app = TestApp::new().await;
    fail_five_times(&app, ELSEWHERE, "Viewer").await;
    waits(&try_from(&app, ELSEWHERE, "Viewer", PASSWORD).await, "1");
    assert_eq!(try_from(&app, HERE, "Viewer", PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn an_unknown_user_name_is_slowed_down_alike() {
    let app = TestApp::new().await;
    fail_five_times(&app, HERE, "unknown").await;
    waits(&try_from(&app, HERE, "unknown", "wrong horse").await, "1");
}

#[actix_web::test]
async fn the_answer_says_when_to_come_back() {
    let app = TestApp::new().await;
    fail_five_times(&app, HERE, "Viewer").await;
    let answer = try_from(&app, HERE, "Viewer", PASSWORD).await;
    assert_eq!(answer.json()["message"], "Signing in failed too often. Try again in 1 second.");
}

#[actix_web::test]
async fn bad_input_is_no_failure() {
    let app = TestApp::new().await;
    for _ in 0..10 {
        let body = serde_json::json!({"username": "Viewer"});
        app.post(As::Anonymous, super::LOGIN, &body).await.is(400, "BadDataError");
    }
    assert_eq!(try_from(&app, HERE, "Viewer", PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn what_a_client_writes_before_the_proxies_is_not_where_it_calls_from() {
    let proxies: Vec<IpAddr> =
        ["192.0.2.1", "::ffff:192.0.2.2"].iter().map(|text| text.parse().expect("an address")).collect();
    let app = TestApp::with(|settings| {
        settings.http.trusted_proxies = proxies.into_iter().map(Into::into).collect();
    })
    .await;
    let forwarded = async |by: &str, name: &str, password: &str| {
        let asked = attempt(name, password).peer_addr("192.0.2.1:1".parse().expect("an address"));
        app.send(As::Anonymous, asked.insert_header(("x-forwarded-for", by))).await
    };
    // One client with many values: the last address that is not a trusted proxy's is its own.
    for by in [
        "198.51.100.7",
        "203.0.113.1, 198.51.100.7",
        "203.0.113.2, x, 198.51.100.7, 192.0.2.2",
        "203.0.113.3,,198.51.100.7:4711",
        "203.0.113.4, ::ffff:198.51.100.7 , 192.0.2.2, 192.0.2.1",
    ] {
        forwarded(by, "Viewer", "wrong horse").await.is(401, "PasswordMismatch");
    }
    waits(&forwarded("203.0.113.5, 198.51.100.7", "Viewer", PASSWORD).await, "1");
    // A value that cannot be read is no address: the request counts as the proxy's.
    for by in ["x", "203.0.113.6, x", "", "203.0.113.7, \"_hidden\"", "unknown, 192.0.2.1"] {
        forwarded(by, "unknown", "wrong horse").await.is(401, "PasswordMismatch");
    }
    waits(&forwarded("203.0.113.8, x", "Viewer", PASSWORD).await, "1");
    assert_eq!(forwarded("203.0.113.9", "Viewer", PASSWORD).await.status, 200);
}
