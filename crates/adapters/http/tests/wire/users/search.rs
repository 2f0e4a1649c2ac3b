//! `GET …/user-admin/search`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::user_json;
use crate::expectations::{SIGNED_IN, only};

const PATH: &str = "/api/admin/user-admin/search";

async fn found(app: &TestApp, query: &str) -> Vec<Value> {
    let answer = app.get(As::Viewer, &format!("{PATH}{query}")).await;
    assert_eq!(answer.status, 200, "{query}");
    answer.json().as_array().expect("a list").clone()
}

#[actix_web::test]
async fn a_search_returns_whole_users() {
    let app = TestApp::new().await;
    let editors = found(&app, "?q=EDIT").await;
    assert_eq!(editors, [user_json(2, "Editor", 2, &editors[0]["imageUrl"])]);
    let image = editors[0]["imageUrl"].as_str().expect("text");
    assert!(image.starts_with("https://gravatar.com/avatar/"), "{image}");
}

#[actix_web::test]
async fn names_addresses_and_service_accounts_are_searched() {
    let app = TestApp::new().await;
    app.put(As::Admin, "/api/admin/user-admin/3", &json!({"name": "Zoë Quux"})).await;
    app.post(As::Admin, "/api/admin/service-account", &json!({"username": "quux-bot", "rootRole": 3})).await;
    let kinds: Vec<_> = found(&app, "?q=quux").await.iter().map(|user| user["accountType"].clone()).collect();
    assert_eq!(kinds, ["User", "Service Account"]);
    assert_eq!(found(&app, "?q=er%40example").await.len(), 3, "by address: Viewer, Owner, Member");
    assert_eq!(found(&app, "?q=Zo%C3%AB").await.len(), 1);
    assert_eq!(found(&app, "?q=unknown-user").await, Vec::<Value>::new());
}

#[actix_web::test]
async fn fewer_than_two_characters_find_no_user() {
    let app = TestApp::new().await;
    for query in ["", "?q=", "?q=e", "?q=%C3%AB"] {
        assert_eq!(found(&app, query).await, Vec::<Value>::new(), "{query}");
    }
}

#[actix_web::test]
async fn signs_of_a_database_are_text() {
    let app = TestApp::new().await;
    for query in ["?q=%25%25", "?q=__", "?q=%27%20or%201=1"] {
        assert_eq!(found(&app, query).await, Vec::<Value>::new(), "{query}");
    }
    let answer = app.get(As::Viewer, &format!("{PATH}?q=ab%00")).await;
    answer.is(400, "BadDataError");
}

#[actix_web::test]
async fn all_signed_in_clients_may() {
    let app = TestApp::new().await;
    only(&app, SIGNED_IN, 200, || TestRequest::get().uri(PATH)).await;
}
