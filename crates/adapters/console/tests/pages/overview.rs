use std::time::Duration;

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TOKENS, TestApp};
use serde_json::{Value, json};

use crate::browser::{between, page, text};

const OVERVIEW: &str = "/console";
const OF_ALL: &str = "/api/admin/api-tokens";
const LEAKED: &str = "/console/overview/leaked";
const EXPIRED_IN_USE: &str = "/console/overview/expired-in-use";
const VIOLATIONS: &str = "/console/overview/violations";
const DAY: Duration = Duration::from_secs(86_400);

/// Creates a token by the API; returns its secret.
async fn create(app: &TestApp, path: &str, name: &str, more: Value) -> String {
    let mut body = json!({ "tokenName": name, "type": "client", "environment": "development" });
    let (Value::Object(all), Value::Object(more)) = (&mut body, more) else { panic!("objects") };
    all.extend(more);
    let created = app.post(As::Root, path, &body).await;
    assert_eq!(created.status, 201, "{}", created.text());
    created.json()["secret"].as_str().expect("a secret").to_owned()
}

async fn verify(app: &TestApp, secret: &str) -> u16 {
    app.send_by(secret, TestRequest::get().uri("/auth/verify")).await.status.as_u16()
}

async fn leak(app: &TestApp, secret: &str) {
    let body = json!({ "tokens": [{ "token": secret }] });
    assert_eq!(app.post(As::Root, "/api/admin/leaked-tokens", &body).await.status, 200);
}

/// Lets time pass, as a server does.
async fn pass(app: &TestApp, time: Duration) {
    app.clock.advance(time);
    app.use_cases.follow_changes().await.expect("followed");
}

/// Returns the count of the tile that leads there.
#[track_caller]
fn count<'p>(overview: &'p str, path: &str) -> &'p str {
    let tile = between(overview, &format!("href=\"{}\">", path.replace('&', "&#38;")), "</a>");
    between(tile, ">", "</strong>")
}

/// Returns the names of the tokens in a list.
async fn names(app: &TestApp, who: As, path: &str) -> Vec<String> {
    let list = page(app, who, path).await;
    let rows = list.split("<th scope=\"row\">").skip(1);
    rows.map(|row| between(row, "<bdi>", "</bdi>").to_owned()).collect()
}

#[actix_web::test]
async fn what_needs_attention_is_counted_and_listed() {
    let app = TestApp::without_quota().await;
    create(&app, TOKENS, "soon", json!({ "expiresAt": "2023-04-25T00:00:00Z" })).await;
    create(&app, TOKENS, "later", json!({ "expiresAt": "2023-09-01T00:00:00Z" })).await;
    create(&app, OF_ALL, "wide", json!({ "projects": ["*"] })).await;
    let leaked = create(&app, TOKENS, "known", json!({})).await;
    let rotated = create(&app, TOKENS, "new", json!({})).await;
    leak(&app, &leaked).await;
    leak(&app, &leaked).await;
    leak(&app, &rotated).await;
    pass(&app, Duration::from_secs(1)).await;
    let id = rotated_id(&app).await;
    let rotate = format!("{TOKENS}/{id}/rotate");
    assert!(app.post(As::Root, &rotate, &json!({})).await.status.is_success());

    let overview = page(&app, As::Root, OVERVIEW).await;
    for (path, expected) in [
        ("/console/tokens?status=expiring", "1"),
        ("/console/tokens?attention=all-projects", "1"),
        (LEAKED, "1"),
        (EXPIRED_IN_USE, "0"),
        (VIOLATIONS, "0"),
        ("/console/tokens?unused=90&expired=false", "–"),
    ] {
        assert_eq!(count(&overview, path), expected, "{path}: {overview}");
    }
    assert_eq!(names(&app, As::Root, "/console/tokens?status=expiring").await, ["soon"]);
    assert_eq!(names(&app, As::Root, "/console/tokens?attention=all-projects").await, ["wide"]);
    assert_eq!(names(&app, As::Root, LEAKED).await, ["known"]);
    let csv = app.get(As::Root, "/console/tokens/export.csv?attention=all-projects").await.text();
    assert!(csv.lines().count() == 2 && csv.contains(",wide,"), "{csv}");
    // An owner sees the same of the project, to which no token for all projects belongs.
    let of_project = page(&app, As::Owner, OVERVIEW).await;
    let in_project = "/console/projects/default/tokens";
    assert_eq!(count(&of_project, &format!("{in_project}?status=expiring")), "1");
    assert_eq!(count(&of_project, &format!("{in_project}?unused=90&expired=false")), "0");
    assert_eq!(count(&of_project, &format!("{LEAKED}?project=default")), "1");
    assert!(!of_project.contains("attention=all-projects"), "{of_project}");
    assert_eq!(names(&app, As::Owner, &format!("{LEAKED}?project=default")).await, ["known"]);

    pass(&app, DAY * 100).await;
    app.use_cases.count_tokens().await.expect("counted");
    let overview = page(&app, As::Root, OVERVIEW).await;
    let unused = "/console/tokens?unused=90&expired=false";
    let listed = names(&app, As::Root, unused).await;
    assert_eq!(count(&overview, unused), listed.len().to_string(), "{listed:?}");
    assert!(listed.contains(&"known".to_owned()) && !listed.contains(&"soon".to_owned()), "{listed:?}");
}

async fn rotated_id(app: &TestApp) -> String {
    let tokens = app.get(As::Root, &format!("{TOKENS}?name=new")).await.json();
    tokens["tokens"][0]["id"].as_str().expect("an id").to_owned()
}

#[actix_web::test]
async fn an_expired_token_that_is_used_is_found() {
    let app = TestApp::new().await;
    let used = create(&app, TOKENS, "used", json!({ "expiresAt": "2023-04-20T00:00:00Z" })).await;
    create(&app, TOKENS, "forgotten", json!({ "expiresAt": "2023-04-20T00:00:00Z" })).await;
    assert_eq!(verify(&app, &used).await, 200);
    pass(&app, DAY).await;
    assert_eq!(verify(&app, &used).await, 401);
    app.use_cases.flush_usage().await.expect("written");
    app.use_cases.notices.record().await.expect("recorded");
    let overview = page(&app, As::Root, OVERVIEW).await;
    assert_eq!(count(&overview, EXPIRED_IN_USE), "1");
    assert_eq!(names(&app, As::Root, EXPIRED_IN_USE).await, ["used"]);
    // The last 24 hours have the refused use and not the accepted one, of the hour before.
    assert!(overview.contains("<code>expired</code> 1"), "{overview}");
    let top = between(&overview, "id=\"top\"", "</section>");
    assert!(top.contains("<bdi>used</bdi>"), "{top}");
    // A new end settles it.
    let id = app.get(As::Root, &format!("{TOKENS}?name=used")).await.json()["tokens"][0]["id"].clone();
    let path = format!("{TOKENS}/{}", id.as_str().expect("an id"));
    let body = json!({ "expiresAt": "2024-01-01T00:00:00Z" });
    let changed = app.send(As::Root, TestRequest::patch().uri(&path).set_json(&body)).await;
    assert!(changed.status.is_success(), "{}", changed.text());
    assert!(names(&app, As::Root, EXPIRED_IN_USE).await.is_empty());
}

#[actix_web::test]
async fn tokens_against_a_policy_are_listed_with_the_rules() {
    let app = TestApp::new().await;
    create(&app, TOKENS, "<b>bare</b>", json!({})).await;
    create(&app, TOKENS, "told", json!({ "description": "what it is for" })).await;
    let policy = json!({ "requireDescription": true });
    assert_eq!(app.put(As::Root, "/api/admin/projects/default/policy", &policy).await.status, 200);
    for (who, overview, list) in [
        (As::Root, OVERVIEW.to_owned(), VIOLATIONS.to_owned()),
        (As::Root, format!("{OVERVIEW}?project=default"), format!("{VIOLATIONS}?project=default")),
        (As::Owner, OVERVIEW.to_owned(), format!("{VIOLATIONS}?project=default")),
    ] {
        assert_eq!(count(&page(&app, who, &overview).await, &list), "1", "{list}");
        let list = page(&app, who, &list).await;
        assert!(list.contains("<bdi>&#60;b&#62;bare") && !list.contains("<b>bare"), "{list}");
        assert!(list.contains("<code>require_description</code>") && !list.contains("told"), "{list}");
    }
}

#[actix_web::test]
async fn the_usage_of_all_tokens_is_kept_for_a_minute() {
    let app = TestApp::new().await;
    let secret = create(&app, TOKENS, "busy", json!({})).await;
    assert_eq!(verify(&app, &secret).await, 200);
    assert!(page(&app, As::Root, OVERVIEW).await.contains("No token was used"));
    app.use_cases.flush_usage().await.expect("written");
    assert!(page(&app, As::Root, OVERVIEW).await.contains("No token was used"));
    // Of a project, it is read each time.
    assert!(page(&app, As::Owner, OVERVIEW).await.contains("1 accepted"));
    pass(&app, Duration::from_secs(60)).await;
    assert!(page(&app, As::Root, OVERVIEW).await.contains("1 accepted"));
}

#[actix_web::test]
async fn each_visitor_sees_what_they_may_read() {
    let app = TestApp::new().await;
    let of_root = page(&app, As::Root, OVERVIEW).await;
    assert!(of_root.contains("name=\"project\"") && of_root.contains("value=\"elsewhere\""), "{of_root}");
    let chosen = page(&app, As::Root, "/console?project=elsewhere").await;
    assert!(chosen.contains("value=\"elsewhere\" selected"), "{chosen}");
    for who in [As::Owner, As::Member] {
        let shown = page(&app, who, OVERVIEW).await;
        assert!(shown.contains("<bdi class=\"of\">default</bdi>"), "{shown}");
        assert!(!shown.contains("name=\"project\""), "there is one project to choose: {shown}");
        let refused = text(&app.get(who, "/console?project=elsewhere").await, 403);
        assert!(refused.contains("<code>READ_PROJECT_API_TOKEN</code>"), "{refused}");
        for list in [LEAKED, EXPIRED_IN_USE, VIOLATIONS] {
            page(&app, who, &format!("{list}?project=default")).await;
            text(&app.get(who, &format!("{list}?project=elsewhere")).await, 403);
            let refused = text(&app.get(who, list).await, 403);
            assert!(refused.contains("_API_TOKEN</code>"), "{refused}");
        }
    }
    assert!(page(&app, As::Viewer, OVERVIEW).await.contains("You may not read the tokens of any project"));
    text(&app.get(As::Root, "/console?project=nowhere").await, 404);
    text(&app.get(As::Root, &format!("{VIOLATIONS}?project=nowhere")).await, 404);
    let events = between(&of_root, "id=\"latest\"", "</section>");
    assert_eq!(events.matches("<tr><td>").count(), 10, "{events}");
}
