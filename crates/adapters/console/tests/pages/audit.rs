use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use crate::browser::{between, page, text};

const ROOT: &str = "/console/audit";
const ROLES: &str = "/api/admin/roles";

/// Returns the ids of the events in a page, in its order.
fn events(page: &str) -> Vec<i64> {
    let articles = page.split("<article class=\"card event\" id=\"event-").skip(1);
    articles.map(|article| article.split('"').next().expect("an id").parse().expect("a number")).collect()
}

/// Returns the address at which a page asks for what is newer.
fn news(page: &str) -> String {
    between(page, "data-live hx-get=\"", "\"").replace("&#38;", "&")
}

#[actix_web::test]
async fn events_are_shown_newest_first_with_what_they_changed() {
    let app = TestApp::new().await;
    let role =
        json!({"name": "<b>ops</b>", "type": "root-custom", "permissions": [{"name": "CREATE_PROJECT"}]});
    let role = app.post(As::Root, ROLES, &role).await.json();
    let path = format!("{ROLES}/{}", role["id"]);
    let changed = json!({"name": "ops", "description": "new", "permissions": [{"name": "UPDATE_PROJECT"}]});
    assert_eq!(app.put(As::Root, &path, &changed).await.status, 200);
    assert_eq!(app.delete(As::Root, &path).await.status, 200);
    let list = page(&app, As::Root, ROOT).await;
    let ids = events(&list);
    assert!(ids.is_sorted_by(|newer, older| newer > older), "{ids:?}");
    let all: Vec<_> = list.split("<article class=\"card event\"").skip(1).collect();
    let [deleted, updated, created, ..] = all.as_slice() else { panic!("{list}") };
    assert!(deleted.contains("Role deleted") && deleted.contains("<del>ops</del>"), "{deleted}");
    assert!(updated.contains("<details open>") && updated.contains("<del>CREATE_PROJECT</del>"), "{updated}");
    assert!(updated.contains("<ins>UPDATE_PROJECT</ins>") && updated.contains("<ins>new</ins>"), "{updated}");
    assert!(created.contains("<details>") && created.contains("<ins>&#60;b&#62;ops"), "{created}");
    assert!(created.contains("root@example.com") && !list.contains("<b>ops"), "{created}");
}

#[actix_web::test]
async fn filters_are_in_the_address() {
    let app = TestApp::new().await;
    let root = app.user_of(As::Root).await.id.0;
    app.project("blue").await;
    let role = json!({"name": "finder", "type": "root-custom", "permissions": []});
    assert_eq!(app.post(As::Root, ROLES, &role).await.status, 200);
    let count = async |query: &str| events(&page(&app, As::Root, &format!("{ROOT}?{query}")).await).len();
    assert_eq!(count("type=role-created").await, 1);
    assert_eq!(count("query=finder&type=role-created&project=").await, 1);
    assert_eq!(count("query=finder&type=user-created").await, 0);
    assert_eq!((count("project=blue").await, count(&format!("createdBy={root}")).await), (1, 1));
    assert_eq!(count("from=2023-04-20").await, 0);
    assert_eq!(count("type=role-created&from=2023-04-19&to=2023-04-19").await, 1);
    let none = page(&app, As::Root, &format!("{ROOT}?type=webhook-deleted")).await;
    assert!(none.contains("No event fits these filters."), "{none}");
    let wrong = text(&app.get(As::Root, &format!("{ROOT}?createdBy=ada&from=soon")).await, 400);
    assert!(wrong.contains("These filters cannot be read.") && wrong.contains("value=\"ada\""), "{wrong}");
    assert_eq!(wrong.matches("aria-invalid").count(), 2, "{wrong}");
    assert!(events(&wrong).is_empty() && !wrong.contains("data-live"), "{wrong}");
}

#[actix_web::test]
async fn there_are_fifty_on_a_page() {
    let app = TestApp::new().await;
    for number in 0..60 {
        app.project(&format!("project-{number}")).await;
    }
    let first = page(&app, As::Root, &format!("{ROOT}?type=project-created")).await;
    assert_eq!(events(&first).len(), 50);
    let next = between(&first, "rel=\"next\" href=\"", "\"").replace("&#38;", "&");
    let second = page(&app, As::Root, &next).await;
    // One project more is that of every application of a test.
    assert_eq!(events(&second).len(), 11);
    assert!(events(&first).iter().all(|event| !events(&second).contains(event)));
    assert!(second.contains("rel=\"prev\"") && !second.contains("data-live"), "{second}");
}

#[actix_web::test]
async fn new_events_are_asked_for_with_the_same_filters() {
    let app = TestApp::new().await;
    let list = page(&app, As::Root, &format!("{ROOT}?type=project-created")).await;
    let asked = news(&list);
    assert!(asked.starts_with("/console/audit/new?type=project%2Dcreated&after="), "{asked}");
    assert_eq!(app.get(As::Root, &asked).await.status, 204);
    // What does not fit the filters only moves the place from which is asked.
    app.user("ada", "Viewer").await;
    let moved = text(&app.get(As::Root, &asked).await, 200);
    assert!(events(&moved).is_empty() && news(&moved) != asked, "{moved}");
    assert_eq!(app.get(As::Root, &news(&moved)).await.status, 204);
    app.project("blue").await;
    let new = text(&app.get(As::Root, &news(&moved)).await, 200);
    assert_eq!(events(&new).len(), 1, "{new}");
    assert!(new.contains("Project created") && !new.contains("<html"), "{new}");
    assert_eq!(app.get(As::Root, &news(&new)).await.status, 204);
    // More than a page: all of it is loaded again.
    for number in 0..51 {
        app.project(&format!("project-{number}")).await;
    }
    let many = app.get(As::Root, &news(&new)).await;
    assert_eq!((many.status.as_u16(), many.header("hx-refresh")), (204, Some("true")));
    for wrong in ["", "?after=1", "?after=x&since=1", "?after=1&since=1&type=nothing"] {
        assert_eq!(app.get(As::Root, &format!("{ROOT}/new{wrong}")).await.status, 204, "{wrong}");
    }
}

#[actix_web::test]
async fn who_may_not_read_all_events_sees_those_of_their_projects() {
    let app = TestApp::new().await;
    let token = json!({
        "tokenName": "shop", "type": "client", "environment": "development", "projects": ["default"]
    });
    let made = app.post(As::Root, "/api/admin/api-tokens", &token).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let all = page(&app, As::Root, ROOT).await;
    assert!(
        all.contains("/api/admin/events/export?format=csv") && all.contains("User created <bdi"),
        "{all}"
    );
    for who in [As::Owner, As::Member] {
        let own = page(&app, who, ROOT).await;
        assert!(own.contains("API token created <bdi") && !own.contains("User created <bdi"), "{own}");
        assert!(own.contains("projects whose tokens you may read") && !own.contains("/export"), "{own}");
    }
    let none = page(&app, As::Viewer, ROOT).await;
    assert!(events(&none).is_empty() && none.contains("Nothing has happened that you may see."), "{none}");
    assert_eq!(app.get(As::Viewer, &news(&none)).await.status, 204);
}

#[actix_web::test]
async fn the_way_back_from_signing_in_leads_to_the_page_and_not_to_a_part_of_it() {
    let app = TestApp::new().await;
    let asked = |headers: &[(&'static str, &'static str)]| {
        let part = TestRequest::get().uri("/console/audit/new?after=1&since=1");
        headers.iter().fold(part, |part, header| part.insert_header(*header))
    };
    let page = ("hx-current-url", "http://localhost/console/audit?type=user-created");
    let by_htmx = app.send(As::Anonymous, asked(&[("hx-request", "true"), page])).await;
    assert_eq!(by_htmx.status, 200);
    let back = "/console/sign-in?next=%2Fconsole%2Faudit%3Ftype%3Duser%2Dcreated";
    assert_eq!(by_htmx.header("hx-redirect"), Some(back));
    let followed =
        app.send(As::Anonymous, asked(&[("hx-request", "true"), ("hx-boosted", "true"), page])).await;
    assert!(followed.header("hx-redirect").is_some_and(|path| path.contains("audit%2Fnew")));
}

#[actix_web::test]
async fn the_export_has_the_same_filters() {
    let app = TestApp::new().await;
    app.project("blue").await;
    let list = page(&app, As::Root, &format!("{ROOT}?project=blue&from=2023-04-19")).await;
    let export = between(&list, "<a href=\"/api/admin/events/export", "\"").replace("&#38;", "&");
    let csv = app.get(As::Root, &format!("/api/admin/events/export{export}")).await;
    assert_eq!(csv.status, 200);
    let csv = csv.text();
    assert!(csv.starts_with("id,createdAt,") && csv.lines().count() == 2, "{csv}");
}
