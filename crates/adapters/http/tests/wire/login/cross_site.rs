//! Requests that another site has a browser send are refused if they change something.

use std::net::IpAddr;

use actix_web::{http::Method, test::TestRequest};
use latchkey_testkit::app::{As, PASSWORD, TestApp};

use super::{LOGIN, LOGOUT, attempt, me};

const OWN: &str = "latchkey.example:8080";

/// Headers of a browser, and whether the request comes from the same site.
const CASES: &[(&[(&str, &str)], bool)] = &[
    (&[], true),
    (&[("sec-fetch-site", "same-origin")], true),
    (&[("sec-fetch-site", "none")], true),
    (&[("sec-fetch-site", "same-site")], false),
    (&[("sec-fetch-site", "cross-site")], false),
    (&[("sec-fetch-site", "")], false),
    (&[("origin", "http://latchkey.example:8080")], true),
    (&[("origin", "https://latchkey.example:8080")], true),
    (&[("origin", "http://latchkey.example")], false),
    (&[("origin", "http://evil.example")], false),
    (&[("origin", "http://latchkey.example:8080.evil.example")], false),
    (&[("origin", "null")], false),
    (&[("origin", "latchkey.example:8080")], false),
    (&[("sec-fetch-site", "same-origin"), ("origin", "http://evil.example")], true),
    (&[("sec-fetch-site", "cross-site"), ("origin", "http://latchkey.example:8080")], false),
];

fn with(mut request: TestRequest, headers: &[(&'static str, &'static str)]) -> TestRequest {
    for header in headers {
        request = request.insert_header(*header);
    }
    request.insert_header(("host", OWN))
}

#[actix_web::test]
async fn signing_in_and_out_are_asked_for_by_our_own_site() {
    let app = TestApp::new().await;
    for (headers, is_own) in CASES {
        let answer = app.send(As::Anonymous, with(attempt("Viewer", PASSWORD), headers)).await;
        assert_eq!(answer.status.as_u16(), if *is_own { 200 } else { 403 }, "{headers:?}");
        if !is_own {
            answer.is(403, "OperationDeniedError");
            assert_eq!(answer.header("set-cookie"), None);
        }
        for method in [Method::GET, Method::POST] {
            let cookie = app.sign_in("Viewer").await;
            let asked = TestRequest::with_uri(LOGOUT).method(method);
            let answer = app.send_with(&cookie, with(asked, headers)).await;
            assert_eq!(answer.status.as_u16(), if *is_own { 200 } else { 403 }, "{headers:?}");
            let still = app.send_with(&cookie, me()).await.status.as_u16();
            assert_eq!(still, if *is_own { 401 } else { 200 }, "{headers:?}");
        }
    }
}

#[actix_web::test]
async fn a_password_is_not_tried_for_another_site() {
    let app = TestApp::new().await;
    for _ in 0..10 {
        let asked = attempt("Viewer", "wrong horse").insert_header(("sec-fetch-site", "cross-site"));
        app.send(As::Anonymous, asked).await.is(403, "OperationDeniedError");
    }
    app.send(As::Anonymous, TestRequest::post().uri(LOGIN).insert_header(("origin", "null")))
        .await
        .is(403, "OperationDeniedError");
}

#[actix_web::test]
async fn reading_changes_nothing_and_is_let_through() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("Viewer").await;
    let asked = me().insert_header(("sec-fetch-site", "cross-site"));
    assert_eq!(app.send_with(&cookie, asked).await.status, 200);
}

#[actix_web::test]
async fn a_token_in_a_header_is_no_browsers_doing() {
    let app = TestApp::new().await;
    let asked = TestRequest::delete().uri("/api/admin/api-tokens/none");
    let asked = asked.insert_header(("origin", "http://evil.example"));
    assert_eq!(app.send(As::Root, asked).await.status, 200);
}

#[actix_web::test]
async fn behind_a_trusted_proxy_the_host_is_the_one_that_the_client_asked() {
    let proxy: IpAddr = "192.0.2.1".parse().expect("an address");
    let app = TestApp::with(|settings| settings.http.trusted_proxies = vec![proxy.into()]).await;
    for (peer, status) in [("192.0.2.1:1", 200), ("192.0.2.2:1", 403)] {
        let asked = attempt("Viewer", PASSWORD)
            .peer_addr(peer.parse().expect("an address"))
            .insert_header(("host", "inside:4242"))
            .insert_header(("x-forwarded-host", "latchkey.example"))
            .insert_header(("origin", "https://latchkey.example"));
        assert_eq!(app.send(As::Anonymous, asked).await.status.as_u16(), status, "{peer}");
    }
}
