//! `GET …/api-tokens/{name}`

use actix_web::test::TestRequest;
use latchkey_domain::{ProjectScope, TokenKind};
use latchkey_testkit::{
    app::{As, TestApp},
    samples::access,
};
use serde_json::json;

use super::{ALL, made, names};
use crate::expectations::{EDITORS, only};

#[actix_web::test]
async fn all_tokens_of_the_name_are_found_and_no_others() {
    let app = TestApp::without_quota().await;
    for (name, kind) in [("dup", "client"), ("dup", "frontend"), ("Dup", "client"), ("du", "client")] {
        made(&app, name, kind).await;
    }
    assert_eq!(names(&app.get(As::Root, &format!("{ALL}/dup")).await), ["dup", "dup"]);
    assert_eq!(names(&app.get(As::Root, &format!("{ALL}/DUP")).await), Vec::<String>::new());
}

#[actix_web::test]
async fn names_are_escaped_in_the_path() {
    let app = TestApp::new().await;
    made(&app, "sp ace/é?", "client").await;
    assert_eq!(names(&app.get(As::Root, &format!("{ALL}/sp%20ace%2F%C3%A9%3F")).await), ["sp ace/é?"]);
    for unreadable in ["%FF", "a%00b"] {
        app.get(As::Root, &format!("{ALL}/{unreadable}")).await.is(400, "BadDataError");
    }
}

#[actix_web::test]
async fn a_name_that_no_token_has_finds_none() {
    let app = TestApp::new().await;
    let secret = made(&app, "web", "client").await;
    let long = "x".repeat(300);
    for name in ["none", "%20", "a%0Ab", &long, &secret, "9c40958a-daac-400e-98fb-3bb438567008"] {
        let answer = app.get(As::Root, &format!("{ALL}/{name}")).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"tokens": []})), "{name}");
    }
}

#[actix_web::test]
async fn an_id_finds_its_token_where_no_token_has_it_as_its_name() {
    let app = TestApp::new().await;
    let (secret, id) = app.token_and_id(access(TokenKind::Client, ProjectScope::All)).await;
    let found = app.get(As::Root, &format!("{ALL}/{id}")).await.json();
    assert_eq!(found["tokens"][0]["secret"], json!(secret));
    made(&app, &id, "client").await;
    assert_eq!(names(&app.get(As::Root, &format!("{ALL}/{id}")).await), [id]);
}

#[actix_web::test]
async fn kinds_that_the_caller_may_not_read_are_not_found() {
    let app = TestApp::without_quota().await;
    // Of these, two are admin tokens.
    assert_eq!(names(&app.get(As::Root, &format!("{ALL}/made")).await).len(), 4);
    assert_eq!(names(&app.get(As::Editor, &format!("{ALL}/made")).await).len(), 2);
    let (_, id) = app.token_and_id(latchkey_domain::TokenAccess::Admin).await;
    assert_eq!(app.get(As::Editor, &format!("{ALL}/{id}")).await.json(), json!({"tokens": []}));
}

#[actix_web::test]
async fn only_those_who_may_read_some_kind_may() {
    let app = TestApp::new().await;
    only(&app, EDITORS, 200, || TestRequest::get().uri(&format!("{ALL}/none"))).await;
}
