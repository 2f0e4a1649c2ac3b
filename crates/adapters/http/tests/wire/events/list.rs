//! `GET /api/admin/events`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::json;

use super::types;
use crate::expectations::{ADMINS, faults, newest_events, only};

const PATH: &str = "/api/admin/events";

#[actix_web::test]
async fn an_event_says_who_did_what_from_where_and_never_a_secret() {
    let app = TestApp::new().await;
    let body = json!({"tokenName": "x", "type": "client", "environment": "production"});
    let request = TestRequest::post()
        .uri(TOKENS)
        .peer_addr("192.0.2.7:1".parse().expect("an address"))
        .insert_header(("user-agent", "curl/8.5.0"))
        .set_json(body);
    let secret = app.send(As::Member, request).await.json()["secret"].as_str().expect("text").to_owned();
    let event = newest_events(&app, 1).await.remove(0);
    let expected = json!({
        "id": event["id"], "type": "api-token-created", "createdBy": "member@example.com", "createdByUserId": 5,
        "createdAt": "2023-04-19T08:15:14.000Z", "data": event["data"], "preData": null, "project": "default",
        "environment": "production", "featureName": null, "tags": [], "ip": "192.0.2.7",
        "userAgent": "curl/8.5.0", "label": "API token created",
        "summary": "**member@example.com** created API token **x**"
    });
    assert_eq!(event, expected);
    assert_eq!((&event["data"]["tokenName"], &event["data"]["projects"]), (&json!("x"), &json!(["default"])));
    assert!(event["id"].is_i64());
    let random = secret.split_once('.').expect("two parts").1;
    assert!(!event.to_string().contains(random));
}

#[actix_web::test]
async fn places_are_named_as_tokens_name_them() {
    let app = TestApp::new().await;
    let token = |projects| json!({"tokenName": "x", "type": "client", "projects": projects});
    for projects in [json!(["*"]), json!(["default", "elsewhere"])] {
        let answer = app.post(As::Root, "/api/admin/api-tokens", &token(projects)).await;
        assert_eq!(answer.status, 201);
    }
    app.post(As::Root, "/api/admin/environments/production/off", &json!({})).await;
    let events = newest_events(&app, 3).await;
    let shown: Vec<_> = events.iter().map(|event| json!([event["project"], event["environment"]])).collect();
    let expected = json!([[null, "production"], ["default,elsewhere", "development"], ["*", "development"]]);
    assert_eq!(json!(shown), expected);
}

#[actix_web::test]
async fn the_newest_come_first_in_pages() {
    let app = TestApp::new().await;
    for name in ["a", "b", "c"] {
        app.post(As::Root, "/api/admin/environments", &json!({"name": name, "type": "test"})).await;
    }
    let page = async |query: &str| {
        let body = app.get(As::Admin, &format!("{PATH}{query}")).await.json();
        let events = body["events"].as_array().expect("events").clone();
        let names: Vec<_> = events.iter().map(|event| event["data"]["name"].clone()).collect();
        (body["version"].clone(), body["totalEvents"].as_u64().expect("a number"), names)
    };
    let (version, total, names) = page("?limit=2&offset=1").await;
    assert_eq!((version, names), (json!(1), vec![json!("b"), json!("a")]));
    let all = page("").await;
    assert_eq!((all.1, all.2.len() as u64), (total, total), "{total} are fewer than 100");
    for nonsense in ["?limit=x", "?limit=0", "?limit=-1", "?offset=x", "?offset=-1", "?limit=99999&unknown=1"]
    {
        assert_eq!(page(nonsense).await, all, "{nonsense}");
    }
}

#[actix_web::test]
async fn events_of_one_project_are_found_under_each_that_they_concern() {
    let app = TestApp::new().await;
    let body = json!({"tokenName": "x", "type": "client", "projects": ["default", "elsewhere"]});
    app.post(As::Root, "/api/admin/api-tokens", &body).await;
    for project in ["default", "elsewhere"] {
        let types = types(&app, As::Admin, &format!("{PATH}?project={project}&limit=1")).await;
        assert_eq!(types, ["api-token-created"], "{project}");
    }
    assert!(types(&app, As::Admin, &format!("{PATH}?project=nope")).await.is_empty());
    let answer = app.get(As::Admin, &format!("{PATH}?project=a%20b")).await;
    assert_eq!(faults(&answer), ["/query/project"]);
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 200, || TestRequest::get().uri(PATH)).await;
    app.get(As::Editor, &format!("{PATH}?project=a%20b")).await.is(403, "NoAccessError");
}
