//! `DELETE …/service-account/{id}`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::{ACCOUNTS, UNKNOWN_ID, made, path_of, token_of};
use crate::expectations::{ADMINS, faults, newest_event, only};

#[actix_web::test]
async fn it_goes_with_its_tokens_which_are_refused_from_the_answer_on() {
    let app = TestApp::new().await;
    app.use_cases.follow_changes().await.expect("followed");
    let id = made(&app, "deploy", json!(1)).await;
    let (_, secret) = token_of(&app, id).await;
    assert_eq!(app.send_by(&secret, TestRequest::get().uri(ACCOUNTS)).await.status, 200);
    let answer = app.delete(As::Root, &path_of(id)).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    app.send_by(&secret, TestRequest::get().uri(ACCOUNTS)).await.is(401, "UnauthorizedError");
    let (kind, by, before, after) = newest_event(&app).await;
    assert_eq!(
        (kind.as_str(), by.as_str(), after),
        ("service-account-deleted", "root@example.com", Value::Null)
    );
    assert_eq!(before["username"], "deploy");
    app.delete(As::Root, &path_of(id)).await.is(404, "NotFoundError");
    made(&app, "deploy", json!(3)).await;
}

#[actix_web::test]
async fn what_is_no_service_account_is_not_found() {
    let app = TestApp::new().await;
    let person = app.user_of(As::Viewer).await.id.0;
    for id in [UNKNOWN_ID, person] {
        app.delete(As::Root, &path_of(id)).await.is(404, "NotFoundError");
    }
    assert_eq!(faults(&app.delete(As::Root, &format!("{ACCOUNTS}/1.5")).await), ["/params/id"]);
    assert_eq!(app.user_of(As::Viewer).await.id.0, person, "still there");
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 404, || TestRequest::delete().uri(&path_of(UNKNOWN_ID))).await;
}

#[actix_web::test]
async fn other_sites_cannot_have_a_browser_delete_it() {
    let app = TestApp::new().await;
    let id = made(&app, "deploy", json!(3)).await;
    let cookie = app.sign_in("Root").await;
    let asked = TestRequest::delete().uri(&path_of(id)).insert_header(("sec-fetch-site", "cross-site"));
    app.send_with(&cookie, asked).await.is(403, "OperationDeniedError");
}
