//! `GET /api/admin/search/events`

use std::time::Duration;

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::{Value, json};

use super::types;
use crate::expectations::{SIGNED_IN, faults, only};

const PATH: &str = "/api/admin/search/events";

async fn found(app: &TestApp, who: As, query: &str) -> Vec<Value> {
    types(app, who, &format!("{PATH}?{query}")).await
}

/// Creates two tokens as a member, one of which an editor deletes a day later.
async fn with_history() -> TestApp {
    let app = TestApp::new().await;
    let body = json!({"tokenName": "x", "type": "client"});
    let secret =
        app.post(As::Member, TOKENS, &body).await.json()["secret"].as_str().expect("text").to_owned();
    app.post(As::Member, TOKENS, &body).await;
    app.clock.advance(Duration::from_secs(24 * 3_600));
    assert_eq!(app.delete(As::Editor, &format!("{TOKENS}/{secret}")).await.status, 200);
    app
}

#[actix_web::test]
async fn the_answer_has_the_events_and_how_many_there_are() {
    let app = with_history().await;
    let body = app.get(As::Admin, &format!("{PATH}?limit=1&createdBy=IS:5")).await.json();
    assert_eq!((&body["total"], body["events"].as_array().map(Vec::len)), (&json!(2), Some(1)));
    assert_eq!(body["events"][0]["summary"], "**member@example.com** created API token **x**");
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(2));
}

#[actix_web::test]
async fn each_filter_has_to_be_met() {
    let app = with_history().await;
    let (created, deleted) = (json!("api-token-created"), json!("api-token-deleted"));
    let cases: &[(&str, &[&Value])] = &[
        ("type=IS:api-token-deleted", &[&deleted]),
        ("type=IS%3Aapi-token-deleted&project=IS:default", &[&deleted]),
        ("type=IS_ANY_OF:api-token-deleted,pat-deleted", &[&deleted]),
        ("type=IS:api-token-deleted&project=IS:elsewhere", &[]),
        ("createdBy=IS:5", &[&created, &created]),
        ("createdBy=IS_ANY_OF:5,2", &[&deleted, &created, &created]),
        ("createdBy=IS:5&limit=1", &[&created]),
        ("createdBy=IS:5&limit=9&offset=2", &[]),
        ("createdBy=IS:99", &[]),
        ("createdBy=IS:-42", &[]),
        ("from=IS:2023-04-20", &[&deleted]),
        ("from=2023-04-20T08:15:14Z", &[&deleted]),
        ("from=2023-04-20T08:15:14.001Z", &[]),
        ("to=IS:2023-04-19&createdBy=IS_ANY_OF:2,5", &[&created, &created]),
        ("to=2023-04-19T08:15:14Z&createdBy=IS_ANY_OF:2,5", &[&created, &created]),
        ("to=2023-04-19T08:15:13.999Z", &[]),
        ("from=IS:2023-04-19&to=IS:2023-04-20&createdBy=IS_ANY_OF:2,5", &[&deleted, &created, &created]),
        ("from=IS:2023-04-21", &[]),
        ("from=IS:2020-01-01&to=IS:2020-01-02", &[]),
        ("to=IS:9999-12-31&createdBy=IS:2", &[&deleted]),
    ];
    for (query, expected) in cases {
        let found = found(&app, As::Admin, query).await;
        assert_eq!(&found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
}

#[actix_web::test]
async fn text_is_looked_for_in_the_data() {
    let app = with_history().await;
    let quoted = json!({"tokenName": "The \"Web\" shop", "type": "client"});
    app.post(As::Member, TOKENS, &quoted).await;
    let (created, deleted) = (json!("api-token-created"), json!("api-token-deleted"));
    let cases: &[(&str, &[&Value])] = &[
        ("query=the%20%22web%22%20SHOP", &[&created]),
        ("query=%22web%22&type=IS:api-token-deleted", &[]),
        ("query=development&createdBy=IS_ANY_OF:2,5", &[&created, &deleted, &created, &created]),
        ("query=development&createdBy=IS_ANY_OF:2,5&limit=1&offset=1", &[&deleted]),
        ("query=no%20such%20text", &[]),
        ("query=%25", &[]),
    ];
    for (query, expected) in cases {
        let found = found(&app, As::Admin, query).await;
        assert_eq!(&found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    let page = app.get(As::Admin, &format!("{PATH}?query=development&createdBy=IS:5&limit=1")).await.json();
    assert_eq!(page["total"], 3);
    assert_eq!(found(&app, As::MemberElsewhere, "query=shop").await, [""; 0], "not what others do");
    let answer = app.get(As::Viewer, &format!("{PATH}?query=a%00")).await;
    assert_eq!(faults(&answer), ["/query/query"]);
}

#[actix_web::test]
async fn a_page_that_makes_no_sense_is_the_usual_one() {
    let app = with_history().await;
    let usual = found(&app, As::Admin, "").await;
    for nonsense in [
        "limit=abc",
        "limit=0",
        "limit=-1",
        "offset=abc",
        "offset=-1",
        "limit=99999",
        "limit=4294967296",
        "unknown=1",
    ] {
        assert_eq!(found(&app, As::Admin, nonsense).await, usual, "{nonsense}");
    }
}

#[actix_web::test]
async fn a_page_beyond_all_events_is_empty() {
    let app = with_history().await;
    for offset in ["4294967295", "4294967296", "18446744073709551615", "99999999999999999999999"] {
        assert_eq!(found(&app, As::Admin, &format!("offset={offset}")).await, [""; 0], "{offset}");
        for path in ["/api/admin/events", "/api/admin/projects/default/events"] {
            let answer = app.get(As::Admin, &format!("{path}?offset={offset}")).await;
            assert_eq!(answer.json()["events"], json!([]), "{path} {offset}");
        }
    }
}

#[actix_web::test]
async fn a_malformed_filter_is_refused() {
    let app = TestApp::new().await;
    for (query, members) in [
        ("type=api-token-created", &["type"][..]),
        ("type=IS:nope", &["type"]),
        ("type=IS_ANY_OF:api-token-created,nope", &["type"]),
        ("type=IS_ANY_OF:", &["type"]),
        ("type=IS:", &["type"]),
        ("type=IS_NOT:pat-created", &["type"]),
        ("project=default", &["project"]),
        ("project=IS:a%20b", &["project"]),
        ("createdBy=admin", &["createdBy"]),
        ("createdBy=IS:admin", &["createdBy"]),
        ("from=bogus", &["from"]),
        ("from=IS:2023-02-30", &["from"]),
        ("to=IS:bogus", &["to"]),
        ("to=2023-04-19T08:15:60Z", &["to"]),
        ("type=x&project=x&createdBy=x&from=x&to=x", &["createdBy", "from", "project", "to", "type"]),
    ] {
        let answer = app.get(As::Viewer, &format!("{PATH}?{query}")).await;
        let expected: Vec<_> = members.iter().map(|member| format!("/query/{member}")).collect();
        assert_eq!(faults(&answer), expected, "{query}");
    }
}

#[actix_web::test]
async fn others_find_what_concerns_projects_whose_tokens_they_may_read() {
    let app = with_history().await;
    app.post(As::Root, "/api/admin/environments/production/off", &json!({})).await;
    let all = json!({"tokenName": "all", "type": "client", "projects": ["*"]});
    app.post(As::Root, "/api/admin/api-tokens", &all).await;
    let filter = "type=IS_ANY_OF:api-token-created,api-token-deleted,environment-updated,user-created&from=2023-04-19T08:15:14Z&createdBy=IS_ANY_OF:1,2,5";
    let (created, deleted, updated) = ("api-token-created", "api-token-deleted", "environment-updated");
    let everything = [created, updated, deleted, created, created];
    let own = [deleted, created, created];
    for (who, expected) in [
        (As::Admin, &everything[..]),
        (As::Root, &everything),
        (As::Editor, &[created, deleted, created, created]),
        (As::Owner, &own),
        (As::Member, &own),
        (As::MemberElsewhere, &[]),
        (As::Viewer, &[]),
    ] {
        assert_eq!(found(&app, who, filter).await, expected, "{who:?}");
    }
}

#[actix_web::test]
async fn all_signed_in_clients_may() {
    let app = TestApp::new().await;
    only(&app, SIGNED_IN, 200, || TestRequest::get().uri(PATH)).await;
}
