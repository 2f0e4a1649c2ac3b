//! `GET …/api-tokens`

use std::time::Duration;

use actix_web::test::TestRequest;
use latchkey_service::Reveal;
use latchkey_testkit::{
    app::{As, NOW, TestApp},
    token_json::token_json,
};
use serde_json::json;

use super::{ALL, made, names};
use crate::expectations::{EDITORS, only};

#[actix_web::test]
async fn the_response_is_a_list_of_tokens() {
    let app = TestApp::new().await;
    let secret = made(&app, "web", "frontend").await;
    let answer = app.get(As::Editor, &format!("{ALL}?name=web")).await;
    let id = answer.json()["tokens"][0]["id"].clone();
    let expected =
        token_json("web", &secret, NOW).with("type", "frontend").with_projects(&["*"]).with("id", id);
    let text = String::from_utf8(answer.bytes.clone()).expect("UTF-8");
    assert_eq!(text, format!(r#"{{"tokens":[{expected}]}}"#));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[actix_web::test]
async fn tokens_are_listed_by_creation_and_only_of_readable_kinds() {
    let app = TestApp::new().await;
    for (name, kind) in [("z", "client"), ("a", "frontend")] {
        app.clock.advance(Duration::from_secs(1));
        made(&app, name, kind).await;
    }
    // The app itself has four: a client, a frontend, an admin and an expired admin token.
    for who in [As::Admin, As::Root] {
        assert_eq!(names(&app.get(who, ALL).await), ["made", "made", "made", "made", "z", "a"], "{who:?}");
    }
    assert_eq!(names(&app.get(As::Editor, ALL).await), ["made", "made", "z", "a"]);
    for (permission, expected) in
        [("READ_CLIENT_API_TOKEN", ["made", "z"]), ("READ_FRONTEND_API_TOKEN", ["made", "a"])]
    {
        let holder = app.holder_of(&[permission]).await;
        let answer = app.send_by(&holder, TestRequest::get().uri(ALL)).await;
        assert_eq!(names(&answer), expected, "{permission}");
        let other = if permission.contains("CLIENT") { "frontend" } else { "client" };
        let asked = TestRequest::get().uri(&format!("{ALL}?type={other}"));
        assert_eq!(app.send_by(&holder, asked).await.json(), json!({"tokens": []}), "{permission}");
    }
}

#[actix_web::test]
async fn secrets_that_are_shown_once_are_not_shown_here() {
    let app = TestApp::with(|settings| settings.use_cases.tokens.reveal = Reveal::Once).await;
    let secret = made(&app, "web", "client").await;
    let answer = app.get(As::Root, ALL).await;
    assert!(!String::from_utf8_lossy(&answer.bytes).contains(&secret));
    let id = answer.json()["tokens"][4]["secret"].as_str().expect("text").to_owned();
    assert_eq!(id.len(), 36);
    assert_eq!(app.delete(As::Root, &format!("{ALL}/{id}")).await.status, 200);
    assert_eq!(names(&app.get(As::Root, ALL).await).len(), 4);
}

#[actix_web::test]
async fn only_those_who_may_read_some_kind_may() {
    let app = TestApp::new().await;
    only(&app, EDITORS, 200, || TestRequest::get().uri(ALL)).await;
    let refused = app.get(As::Member, ALL).await.json();
    let any_of = ["ADMIN", "READ_CLIENT_API_TOKEN", "READ_FRONTEND_API_TOKEN"];
    assert_eq!(refused["permissions"], json!(any_of));
}

#[actix_web::test]
async fn a_list_that_the_client_has_is_a_304() {
    let app = TestApp::new().await;
    let tag = app.get(As::Admin, ALL).await.header("etag").expect("a tag").to_owned();
    let again = || TestRequest::get().uri(ALL).insert_header(("if-none-match", tag.clone()));
    assert_eq!(app.send(As::Admin, again()).await.status, 304);
    made(&app, "web", "client").await;
    assert_eq!(app.send(As::Admin, again()).await.status, 200);
}
