//! The filters, order and pages of lists of tokens, which the route of a project and that of the instance share.

use std::time::Duration;

use latchkey_testkit::app::{As, Response, TOKENS, TestApp};
use serde_json::{Value, json};

use crate::expectations::faults;

const ALL: &str = "/api/admin/api-tokens";
const OF_PROJECTS: &str = "/api/admin/project-api-tokens";

fn names(answer: &Response) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.json());
    let tokens = answer.json()["tokens"].as_array().expect("tokens").clone();
    tokens.iter().map(|token| token["tokenName"].as_str().expect("a name").to_owned()).collect()
}

/// Returns the names of the tokens found on each route; the admin tokens of the instance are left out.
async fn found(app: &TestApp, query: &str) -> Vec<String> {
    let of_project = names(&app.get(As::Admin, &format!("{TOKENS}?{query}")).await);
    let of_instance = names(&app.get(As::Editor, &format!("{ALL}?project=default&{query}")).await);
    assert_eq!(of_project, of_instance, "{query}");
    let of_projects = names(&app.get(As::Member, &format!("{OF_PROJECTS}?{query}")).await);
    assert_eq!(of_project, of_projects, "{query}");
    of_project
}

/// Creates a token in the project `default` an hour later.
async fn make(app: &TestApp, body: &Value) -> String {
    app.clock.advance(Duration::from_secs(3_600));
    let answer = app.post(As::Admin, TOKENS, body).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()["secret"].as_str().expect("text").to_owned()
}

/// Creates the tokens `web`, `Web shop`, `app` and `job`, one an hour from 2023-04-19T09:15:14Z.
async fn four(app: &TestApp) -> String {
    let end = "2030-01-01T00:00:00Z";
    make(app, &json!({"tokenName": "web", "type": "client", "expiresAt": end, "owner": "b"})).await;
    let used = make(app, &json!({"tokenName": "Web shop", "type": "frontend"})).await;
    let end = "2001-01-01T00:00:00Z";
    make(
        app,
        &json!({"tokenName": "app", "type": "frontend", "environment": "production", "expiresAt": end, "owner": "a"}),
    )
    .await;
    make(app, &json!({"tokenName": "job", "type": "client", "environment": "production"})).await;
    used
}

#[actix_web::test]
async fn each_filter_leaves_what_fits() {
    let app = TestApp::new().await;
    four(&app).await;
    for (query, expected) in [
        ("environment=production", vec!["app", "job"]),
        ("environment=nosuch", vec![]),
        ("type=client", vec!["web", "job"]),
        ("type=BACKEND", vec!["web", "job"]),
        ("type=admin", vec![]),
        ("name=eb", vec!["web", "Web shop"]),
        ("name=b%20s", vec!["Web shop"]),
        ("name=WEB", vec![]),
        ("name=%25", vec![]),
        ("expired=true", vec!["app"]),
        ("expired=false", vec!["web", "Web shop", "job"]),
        ("expiresBy=2030-01-01T00:00:00Z", vec!["web", "app"]),
        ("expiresBy=2029-12-31T23:59:59.999Z", vec!["app"]),
        ("expired=false&expiresBy=2030-01-01T00:00:00Z", vec!["web"]),
        ("expired=true&expiresBy=2000-01-01T00:00:00Z", vec![]),
        ("status=expired", vec!["app"]),
        ("status=active", vec!["web", "Web shop", "job"]),
        ("status=expiring", vec![]),
        ("status=disabled", vec![]),
        ("status=expired&expired=false", vec![]),
        ("status=active&expiresBy=2030-01-01T00:00:00Z", vec!["web"]),
        ("project=default", vec!["web", "Web shop", "app", "job"]),
        ("type=frontend&expired=false&environment=development", vec!["Web shop"]),
        ("name=&type=&expired=&status=", vec!["web", "Web shop", "app", "job"]),
    ] {
        assert_eq!(found(&app, query).await, expected, "{query}");
    }
}

#[actix_web::test]
async fn each_token_has_one_status() {
    let app = TestApp::without_quota().await;
    for (name, end, enabled) in [
        ("on", None, true),
        ("off", None, false),
        ("soon", Some("2023-05-01T00:00:00Z"), true),
        ("soon, off", Some("2023-05-01T00:00:00Z"), false),
        ("later", Some("2023-06-01T00:00:00Z"), true),
        ("over", Some("2023-04-19T00:00:00Z"), true),
        ("over, off", Some("2023-04-19T00:00:00Z"), false),
    ] {
        let body = json!({"tokenName": name, "type": "client", "expiresAt": end, "enabled": enabled});
        make(&app, &body).await;
    }
    for (status, expected) in [
        ("active", vec!["on", "later"]),
        ("expiring", vec!["soon"]),
        ("expired", vec!["over"]),
        ("disabled", vec!["off", "soon, off", "over, off"]),
    ] {
        assert_eq!(found(&app, &format!("status={status}")).await, expected, "{status}");
    }
}

#[actix_web::test]
async fn the_unused_are_those_that_were_there_and_did_not_come() {
    let app = TestApp::new().await;
    let used = four(&app).await;
    // At 12:15:14.
    app.send_by(&used, actix_web::test::TestRequest::get().uri(TOKENS)).await.is(403, "NoAccessError");
    app.use_cases.flush_usage().await.expect("written");
    for (since, expected) in [
        ("2023-04-19T09:15:14Z", vec![]),
        ("2023-04-19T09:15:14.001Z", vec!["web"]),
        ("2023-04-19T12:15:14Z", vec!["web", "app"]),
        ("2023-04-19T12:15:14.001Z", vec!["web", "Web shop", "app", "job"]),
        ("2023-04-19T14:15:14.001%2B02:00", vec!["web", "Web shop", "app", "job"]),
    ] {
        assert_eq!(found(&app, &format!("unusedSince={since}")).await, expected, "{since}");
    }
}

#[actix_web::test]
async fn each_order_runs_both_ways() {
    let app = TestApp::new().await;
    let used = four(&app).await;
    app.send_by(&used, actix_web::test::TestRequest::get().uri(TOKENS)).await.is(403, "NoAccessError");
    app.use_cases.flush_usage().await.expect("written");
    for (order, expected) in [
        ("sortBy=createdAt", ["web", "Web shop", "app", "job"]),
        ("sortOrder=desc", ["job", "app", "Web shop", "web"]),
        ("sortBy=tokenName", ["Web shop", "app", "job", "web"]),
        ("sortBy=tokenName&sortOrder=desc", ["web", "job", "app", "Web shop"]),
        ("sortBy=type", ["web", "job", "Web shop", "app"]),
        ("sortBy=type&sortOrder=desc", ["app", "Web shop", "job", "web"]),
        ("sortBy=environment", ["web", "Web shop", "app", "job"]),
        ("sortBy=environment&sortOrder=desc", ["job", "app", "Web shop", "web"]),
        ("sortBy=project&sortOrder=desc", ["job", "app", "Web shop", "web"]),
        ("sortBy=owner", ["Web shop", "job", "app", "web"]),
        ("sortBy=owner&sortOrder=desc", ["web", "app", "job", "Web shop"]),
        ("sortBy=status", ["app", "web", "Web shop", "job"]),
        ("sortBy=status&sortOrder=desc", ["job", "Web shop", "web", "app"]),
        ("sortBy=expiresAt&sortOrder=asc", ["app", "web", "Web shop", "job"]),
        ("sortBy=expiresAt&sortOrder=desc", ["job", "Web shop", "web", "app"]),
        ("sortBy=seenAt", ["web", "app", "job", "Web shop"]),
        ("sortBy=seenAt&sortOrder=desc", ["Web shop", "job", "app", "web"]),
    ] {
        assert_eq!(found(&app, order).await, expected, "{order}");
    }
}

#[actix_web::test]
async fn pages_follow_each_other_until_there_is_none() {
    let app = TestApp::new().await;
    four(&app).await;
    for (path, who) in [(TOKENS, As::Member), (ALL, As::Editor), (OF_PROJECTS, As::Owner)] {
        for (direction, expected) in
            [("asc", ["web", "Web shop", "app", "job"]), ("desc", ["job", "app", "Web shop", "web"])]
        {
            let mut seen = Vec::new();
            let mut query = format!("{path}?project=default&limit=3&sortOrder={direction}");
            loop {
                let answer = app.get(who, &query).await;
                seen.push(names(&answer));
                let Some(cursor) = answer.json()["nextCursor"].as_str().map(str::to_owned) else {
                    assert_eq!(answer.json().get("nextCursor"), Some(&Value::Null), "the last page says so");
                    break;
                };
                query = format!("{path}?project=default&limit=3&sortOrder={direction}&cursor={cursor}");
            }
            let (first, last) = expected.split_at(3);
            assert_eq!(seen, [first, last], "{path} {direction}");
        }
    }
    assert_eq!(found(&app, "limit=1&offset=2").await, ["app"]);
    assert_eq!(found(&app, "offset=3").await, ["job"]);
    assert_eq!(found(&app, "offset=99").await, Vec::<String>::new());
    assert_eq!(found(&app, "limit=4").await.len(), 4);
    assert_eq!(found(&app, "limit=1000&sortBy=tokenName").await.len(), 4);
}

/// A null would mean that this page is the last.
#[actix_web::test]
async fn an_order_without_cursors_says_nothing_of_a_next_page() {
    let app = TestApp::new().await;
    four(&app).await;
    for (path, who) in [(TOKENS, As::Member), (ALL, As::Editor)] {
        for order in ["tokenName", "type", "owner", "status", "expiresAt", "seenAt"] {
            for rest in ["limit=2", "limit=2&sortOrder=desc", "limit=2&offset=2", "offset=1", "limit=4"] {
                let query = format!("{path}?project=default&sortBy={order}&{rest}");
                let answer = app.get(who, &query).await;
                assert!(!names(&answer).is_empty(), "{query}");
                assert_eq!(answer.json().get("nextCursor"), None, "{query}");
            }
        }
    }
}

#[actix_web::test]
async fn a_request_without_a_page_gets_the_whole_list() {
    let app = TestApp::new().await;
    four(&app).await;
    let plain = app.get(As::Admin, TOKENS).await;
    assert_eq!(plain.json().as_object().expect("an object").len(), 1, "tokens alone");
    for query in ["", "unknown=1", "expired=", "sortBy=createdAt&sortOrder=asc", "project=default"] {
        let answer = app.get(As::Admin, &format!("{TOKENS}?{query}")).await;
        assert_eq!(answer.bytes, plain.bytes, "{query}");
        assert_eq!(answer.header("etag"), plain.header("etag"), "{query}");
    }
    let plain = app.get(As::Admin, ALL).await;
    for query in ["unknown=1", "sortBy=createdAt"] {
        assert_eq!(app.get(As::Admin, &format!("{ALL}?{query}")).await.bytes, plain.bytes, "{query}");
    }
}

#[actix_web::test]
async fn every_problem_is_listed_at_its_parameter() {
    let app = TestApp::new().await;
    for path in [TOKENS, ALL, OF_PROJECTS] {
        for (query, parameters) in [
            ("environment=*", vec!["environment"]),
            ("environment=a%20b", vec!["environment"]),
            ("project=*", vec!["project"]),
            ("type=proxy", vec!["type"]),
            ("expired=yes", vec!["expired"]),
            ("status=good", vec!["status"]),
            ("expiresBy=soon", vec!["expiresBy"]),
            ("unusedSince=yesterday", vec!["unusedSince"]),
            ("unusedSince=2023-04-19T14:15:14+02:00", vec!["unusedSince"]),
            ("sortBy=name", vec!["sortBy"]),
            ("sortBy=CREATEDAT", vec!["sortBy"]),
            ("sortOrder=up", vec!["sortOrder"]),
            ("limit=0", vec!["limit"]),
            ("limit=1001", vec!["limit"]),
            ("limit=-1", vec!["limit"]),
            ("limit=1.5", vec!["limit"]),
            ("limit=99999999999999999999", vec!["limit"]),
            ("offset=-1", vec!["offset"]),
            ("cursor=nosuch", vec!["cursor"]),
            ("cursor=9c40958a-daac-400e-98fb-3bb438567008&sortBy=tokenName", vec!["cursor"]),
            ("name=%00", vec!["name"]),
            ("type=x&limit=x&sortBy=x", vec!["limit", "sortBy", "type"]),
        ] {
            let expected: Vec<_> = parameters.iter().map(|name| format!("/query/{name}")).collect();
            assert_eq!(faults(&app.get(As::Admin, &format!("{path}?{query}")).await), expected, "{query}");
        }
    }
    let answer = app.get(As::Admin, &format!("{TOKENS}?project=elsewhere")).await;
    assert_eq!(faults(&answer), ["/query/project"]);
}

#[actix_web::test]
async fn permission_goes_before_the_query_and_the_query_before_the_project() {
    let app = TestApp::new().await;
    app.get(As::Viewer, &format!("{TOKENS}?limit=x")).await.is(403, "NoAccessError");
    app.get(As::Viewer, &format!("{ALL}?limit=x")).await.is(403, "NoAccessError");
    let nosuch = "/api/admin/projects/nosuch/api-tokens";
    app.get(As::Admin, &format!("{nosuch}?limit=x")).await.is(400, "BadDataError");
    app.get(As::Admin, &format!("{nosuch}?limit=1")).await.is(404, "NotFoundError");
    app.get(As::Admin, &format!("{nosuch}?offset=1")).await.is(404, "NotFoundError");
    assert_eq!(app.get(As::Admin, &format!("{ALL}?project=nosuch")).await.json(), json!({"tokens": []}));
}

#[actix_web::test]
async fn the_tokens_of_all_readable_projects_are_listed_together() {
    let app = TestApp::new().await;
    for (name, projects) in [
        ("own", &["default"][..]),
        ("other", &["elsewhere"]),
        ("both", &["elsewhere", "default"]),
        ("wide", &["*"]),
    ] {
        app.clock.advance(Duration::from_secs(1));
        let body = json!({"tokenName": name, "type": "client", "projects": projects});
        assert_eq!(app.post(As::Admin, ALL, &body).await.status, 201);
    }
    let list = async |who, query: &str| names(&app.get(who, &format!("{OF_PROJECTS}?name=o&{query}")).await);
    assert_eq!(list(As::Member, "").await, ["own", "both"]);
    assert_eq!(list(As::MemberElsewhere, "").await, ["other", "both"]);
    assert_eq!(list(As::MemberElsewhere, "project=default").await, ["both"]);
    // A permission of the instance holds in every project; none of them is of a token for all projects.
    for who in [As::Admin, As::Root, As::Editor] {
        assert_eq!(list(who, "").await, ["own", "other", "both"], "{who:?}");
    }
    let one = app.get(As::Member, &format!("{OF_PROJECTS}?name=both")).await.json();
    assert_eq!(one["tokens"][0]["projects"], json!(["elsewhere", "default"]), "as in the list of a project");
    app.get(As::Viewer, OF_PROJECTS).await.is(403, "NoAccessError");
    app.get(As::Viewer, &format!("{OF_PROJECTS}?limit=x")).await.is(403, "NoAccessError");
    app.get(As::Anonymous, OF_PROJECTS).await.is(401, "AuthenticationRequired");
}

#[actix_web::test]
async fn a_page_that_the_client_has_is_a_304() {
    let app = TestApp::new().await;
    four(&app).await;
    for path in [TOKENS, ALL] {
        let path = format!("{path}?limit=2");
        let tag = app.get(As::Admin, &path).await.header("etag").expect("a tag").to_owned();
        let again = actix_web::test::TestRequest::get().uri(&path).insert_header(("if-none-match", tag));
        let known = app.send(As::Admin, again).await;
        assert_eq!(known.status, 304);
        assert_eq!(known.header("cache-control"), Some("no-store"), "as the page itself");
    }
}
