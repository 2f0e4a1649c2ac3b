//! `GET /api/admin/events/export`

use actix_web::{http::Method, test::TestRequest};
use latchkey_domain::TokenAccess;
use latchkey_service::{EventExport, Initiator};
use latchkey_testkit::app::{As, TestApp, token_draft};
use serde_json::{Value, json};

use crate::expectations::{ADMINS, faults, newest_events, only};

const PATH: &str = "/api/admin/events/export";

async fn environment(app: &TestApp, name: &str) {
    let body = json!({"name": name, "type": "test"});
    assert_eq!(app.post(As::Root, "/api/admin/environments", &body).await.status, 201);
}

fn events(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
}

#[actix_web::test]
async fn json_lines_are_the_events_of_the_list() {
    let app = TestApp::new().await;
    environment(&app, "a").await;
    let answer = app.get(As::Admin, &format!("{PATH}?format=jsonl")).await;
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(answer.header("content-disposition"), Some(r#"attachment; filename="events.jsonl""#));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(events(&answer.text()), newest_events(&app, 1_000).await);
}

#[actix_web::test]
async fn every_event_is_exported_however_many_there_are() {
    let app = TestApp::without_quota().await;
    let portion = usize::try_from(EventExport::PORTION).expect("few");
    for number in 0..2 * portion {
        let draft = token_draft(&format!("token-{number}"), TokenAccess::Admin);
        app.use_cases.issuer.issue(draft, &Initiator::system()).await.expect("issued");
    }
    let text = app.get(As::Admin, &format!("{PATH}?format=jsonl")).await.text();
    let ids: Vec<i64> = events(&text).iter().map(|event| event["id"].as_i64().expect("a number")).collect();
    assert!(ids.len() > 2 * portion && ids.last() == Some(&1), "{}", ids.len());
    assert!(ids.is_sorted_by(|one, next| one == &(next + 1)), "each once");
    let query = "format=jsonl&type=IS:api-token-created&query=token-7";
    let found = events(&app.get(As::Admin, &format!("{PATH}?{query}")).await.text());
    assert!(
        found.len() > 10
            && found.iter().all(|event| event["data"]["tokenName"]
                .as_str()
                .is_some_and(|name| name.starts_with("token-7")))
    );
    let none = app.get(As::Admin, &format!("{PATH}?format=jsonl&from=2040-01-01")).await;
    assert_eq!((none.status.as_u16(), none.text()), (200, String::new()));
}

#[actix_web::test]
async fn a_table_has_names_and_cells_that_are_no_formulas() {
    let app = TestApp::new().await;
    let request = |name: &str, agent: &str| {
        let body = json!({"tokenName": name, "type": "client", "environment": "production"});
        TestRequest::post()
            .uri(latchkey_testkit::app::TOKENS)
            .peer_addr("192.0.2.7:1".parse().expect("an address"))
            .insert_header(("user-agent", agent.to_owned()))
            .set_json(body)
    };
    app.send(As::Member, request("one, \"two\"", "=cmd|' /C calc'!A0")).await;
    let answer = app.get(As::Admin, &format!("{PATH}?format=csv&type=IS:api-token-created")).await;
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    let text = answer.text();
    let event = newest_events(&app, 1).await.remove(0);
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(
        lines[0],
        "id,createdAt,type,createdBy,createdByUserId,project,environment,ip,userAgent,label,summary,data,preData"
    );
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let expected = [
        event["id"].to_string(),
        "2023-04-19T08:15:14.000Z".to_owned(),
        "api-token-created".to_owned(),
        "member@example.com".to_owned(),
        "5".to_owned(),
        "default".to_owned(),
        "production".to_owned(),
        "192.0.2.7".to_owned(),
        "'=cmd|' /C calc'!A0".to_owned(),
        "API token created".to_owned(),
        quoted("**member@example.com** created API token **one, \"two\"**"),
        quoted(&event["data"].to_string()),
        String::new(),
    ];
    assert_eq!(lines[1], expected.join(","));
    let none = app.get(As::Admin, &format!("{PATH}?format=csv&type=IS:group-deleted")).await.text();
    assert_eq!(none, format!("{}\r\n", lines[0]));
}

#[actix_web::test]
async fn the_format_is_needed_and_filters_are_read_as_by_the_search() {
    let app = TestApp::new().await;
    for (query, places) in [
        ("", &["/query/format"][..]),
        ("format=xml", &["/query/format"]),
        ("format=csv&type=nope&from=x", &["/query/type", "/query/from"]),
        ("format=csv&project=a%20b&createdBy=IS:x", &["/query/project", "/query/createdBy"]),
    ] {
        let mut found = faults(&app.get(As::Admin, &format!("{PATH}?{query}")).await);
        let mut expected: Vec<_> = places.iter().map(|place| (*place).to_owned()).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{query}");
    }
}

#[actix_web::test]
async fn a_head_has_no_body() {
    let app = TestApp::new().await;
    let request = TestRequest::with_uri("/api/admin/events/export?format=csv").method(Method::HEAD);
    let answer = app.send(As::Admin, request).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 200, || TestRequest::get().uri("/api/admin/events/export?format=jsonl")).await;
    app.get(As::Editor, PATH).await.is(403, "NoAccessError");
}
