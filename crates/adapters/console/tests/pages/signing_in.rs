use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, PASSWORD, TestApp};

use crate::browser::{form, leads_to, page, text};

const SIGN_IN: &str = "/console/sign-in";

#[actix_web::test]
async fn a_browser_that_is_not_signed_in_is_led_to_sign_in_and_back() {
    let app = TestApp::new().await;
    let response = app.get(As::Anonymous, "/console/tokens?name=a").await;
    assert_eq!(leads_to(&response), "/console/sign-in?next=%2Fconsole%2Ftokens%3Fname%3Da");
    let by_htmx = TestRequest::get().uri("/console/tokens").insert_header(("hx-request", "true"));
    let response = app.send(As::Anonymous, by_htmx).await;
    assert_eq!(response.header("hx-redirect"), Some("/console/sign-in?next=%2Fconsole%2Ftokens"));
    assert!(page(&app, As::Anonymous, SIGN_IN).await.contains("name=\"password\""));
}

#[actix_web::test]
async fn a_user_signs_in_with_a_cookie_and_out_again() {
    let app = TestApp::new().await;
    let fields = [("username", "Root"), ("password", PASSWORD), ("_next", "//evil.example")];
    let response = form(&app, As::Anonymous, SIGN_IN, &fields).await;
    assert_eq!(leads_to(&response), "/console");
    let cookie =
        response.header("set-cookie").expect("a session").split(';').next().expect("a cookie").to_owned();
    let response = app.send_with(&cookie, TestRequest::get().uri("/console/tokens")).await;
    assert!(text(&response, 200).contains("<bdi>root@example.com</bdi>"));
    let response = app.send_with(&cookie, TestRequest::post().uri("/console/sign-out")).await;
    assert_eq!(leads_to(&response), "/console/sign-in?done=signed-out");
    let response = app.send_with(&cookie, TestRequest::get().uri("/console/tokens")).await;
    assert!(leads_to(&response).starts_with(SIGN_IN));
}

#[actix_web::test]
async fn an_instance_that_is_set_up_leads_to_the_console() {
    const SET_UP: &str = "/console/set-up";
    let app = TestApp::new().await;
    for who in [As::Anonymous, As::Viewer] {
        assert_eq!(leads_to(&app.get(who, SET_UP).await), "/console");
        assert_eq!(leads_to(&form(&app, who, SET_UP, &[("username", "eve")]).await), "/console");
    }
    assert!(leads_to(&app.get(As::Anonymous, "/console").await).starts_with(SIGN_IN));
}

#[actix_web::test]
async fn a_wrong_password_is_said_and_no_form_of_another_site_is_obeyed() {
    let app = TestApp::new().await;
    let wrong = [("username", "Root"), ("password", "wrong")];
    let again = text(&form(&app, As::Anonymous, SIGN_IN, &wrong).await, 401);
    assert!(again.contains("do not match") && again.contains("value=\"Root\""), "{again}");
    assert!(!again.contains("value=\"wrong\""), "a password is not sent back");
    let right = [("username", "Root"), ("password", PASSWORD)];
    let elsewhere =
        TestRequest::post().uri(SIGN_IN).set_form(right).insert_header(("sec-fetch-site", "cross-site"));
    text(&app.send(As::Anonymous, elsewhere).await, 403);
}

#[actix_web::test]
async fn pages_are_for_users_and_for_browsers() {
    let app = TestApp::new().await;
    text(&app.get(As::Admin, "/console/tokens").await, 403);
    let browser = TestRequest::get().uri("/").insert_header(("accept", "text/html"));
    assert_eq!(app.send(As::Anonymous, browser).await.header("location"), Some("/console"));
    assert_eq!(app.get(As::Anonymous, "/").await.header("location"), Some("/docs/openapi/"));
    let missing = text(&app.get(As::Root, "/console/nothing").await, 404);
    assert!(missing.contains("There is nothing here"), "{missing}");
    let german = TestRequest::get().uri(SIGN_IN).insert_header(("accept-language", "de"));
    assert!(text(&app.send(As::Anonymous, german).await, 200).contains("<html lang=\"de\""));
}

#[actix_web::test]
async fn assets_are_kept_for_a_year_and_named_by_their_content() {
    let app = TestApp::new().await;
    let page = page(&app, As::Anonymous, SIGN_IN).await;
    for start in [
        "href=\"/console/assets/console.",
        "src=\"/console/assets/htmx.min.",
        "src=\"/console/assets/console.",
    ] {
        let rest = crate::browser::between(&page, start, "\"");
        let (_, path) = start.split_once('"').expect("a path");
        let response = app.get(As::Anonymous, &format!("{path}{rest}")).await;
        assert_eq!(response.status.as_u16(), 200);
        assert_eq!(response.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    }
    text(&app.get(As::Anonymous, "/console/assets/console.0.css").await, 404);
}
