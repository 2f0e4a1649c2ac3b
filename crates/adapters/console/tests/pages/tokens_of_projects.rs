//! The list of the tokens of all projects that a visitor may read.

use std::collections::BTreeMap;

use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use crate::browser::{between, form, leads_to, page, text};

const LIST: &str = "/console/tokens";

/// Creates a token by the API; returns its id.
async fn create(app: &TestApp, name: &str, projects: &[&str]) -> String {
    let body = json!({
        "tokenName": name, "type": "client", "environment": "development", "projects": projects,
    });
    let created = app.post(As::Root, "/api/admin/api-tokens", &body).await;
    assert_eq!(created.status, 201, "{}", created.text());
    created.json()["id"].as_str().expect("an id").to_owned()
}

/// Lets the owner of the project `default` read the tokens of `theirs` too, and makes tokens of these and of others.
async fn env() -> (TestApp, BTreeMap<&'static str, String>) {
    let app = TestApp::without_quota().await;
    let role = json!({
        "name": "Reader", "type": "custom", "permissions": [{ "name": "READ_PROJECT_API_TOKEN" }],
    });
    assert_eq!(app.post(As::Root, "/api/admin/roles", &role).await.status, 200);
    let owner = app.user_of(As::Owner).await;
    app.project("theirs").await;
    app.project("hidden").await;
    app.member(&owner, "theirs", "Reader").await;
    let mut ids = BTreeMap::new();
    for (name, projects) in [
        ("own", &["default"][..]),
        ("read", &["theirs"]),
        ("shared", &["theirs", "default"]),
        ("partly", &["hidden", "default"]),
        ("unseen", &["hidden"]),
        ("wide", &["*"]),
    ] {
        ids.insert(name, create(&app, name, projects).await);
    }
    (app, ids)
}

/// Returns the names of the tokens in a list, by name, with the paths to which they lead.
async fn paths(app: &TestApp, who: As, path: &str) -> BTreeMap<String, String> {
    let list = page(app, who, path).await;
    let rows = list.split("<th scope=\"row\">").skip(1);
    rows.map(|row| {
        let path = between(row, "href=\"", "\"").to_owned();
        (between(row, "<bdi>", "</bdi>").to_owned(), path)
    })
    .collect()
}

async fn names(app: &TestApp, who: As, path: &str) -> Vec<String> {
    paths(app, who, path).await.into_keys().collect()
}

#[actix_web::test]
async fn the_list_has_the_tokens_of_all_projects_that_may_be_read() {
    let (app, ids) = env().await;
    let listed = paths(&app, As::Owner, LIST).await;
    assert_eq!(listed.keys().collect::<Vec<_>>(), ["own", "partly", "read", "shared"]);
    for (name, project) in
        [("own", "default"), ("partly", "default"), ("read", "theirs"), ("shared", "theirs")]
    {
        assert_eq!(listed[name], format!("/console/projects/{project}/tokens/{}", ids[name]));
        assert!(page(&app, As::Owner, &listed[name]).await.contains(&ids[name]), "{name}");
    }
    // As in the list of one project, a token is shown with all of its projects.
    let list = page(&app, As::Owner, LIST).await;
    assert!(list.contains("<span>hidden</span>") && !list.contains(&ids["unseen"]), "{list}");
    for (query, expected) in [
        ("project=default", vec!["own", "partly", "shared"]),
        ("project=theirs", vec!["read", "shared"]),
        ("project=hidden", vec!["partly"]),
        ("name=e", vec!["read", "shared"]),
        ("type=admin", vec![]),
        ("attention=all-projects", vec![]),
        ("status=active&sortBy=project&sortOrder=desc", vec!["own", "partly", "read", "shared"]),
    ] {
        assert_eq!(names(&app, As::Owner, &format!("{LIST}?{query}")).await, expected, "{query}");
    }
    let csv = app.get(As::Owner, &format!("{LIST}/export.csv")).await.text();
    assert!(csv.lines().count() == 5 && !csv.contains("unseen") && !csv.contains("wide"), "{csv}");

    // The tokens of other callers are of the project `elsewhere`.
    assert_eq!(names(&app, As::MemberElsewhere, LIST).await, ["made"]);
    let all = names(&app, As::Editor, LIST).await;
    assert_eq!(all, ["made", "own", "partly", "read", "shared", "unseen", "wide"]);
    text(&app.get(As::Viewer, LIST).await, 403);
    text(&app.get(As::Viewer, &format!("{LIST}/export.csv")).await, 403);
}

#[actix_web::test]
async fn each_token_of_the_list_offers_what_may_be_done_with_it() {
    let (app, ids) = env().await;
    let list = page(&app, As::Owner, LIST).await;
    let offers = |id: &str| {
        let row = list.split("<tr>").find(|row| row.contains(id)).expect("a row");
        (row.contains("type=\"checkbox\""), row.contains("/revoke\""))
    };
    assert_eq!(offers(&ids["own"]), (true, true));
    for name in ["read", "shared", "partly"] {
        assert_eq!(offers(&ids[name]), (false, false), "{name}");
    }
    // Tokens are created in a project, at best in that of the filter.
    assert!(list.contains("href=\"/console/projects/default/tokens/new\""), "{list}");
    let elsewhere = page(&app, As::MemberElsewhere, &format!("{LIST}?project=elsewhere")).await;
    assert!(elsewhere.contains("href=\"/console/projects/elsewhere/tokens/new\""), "{elsewhere}");
    // From the list of a project, a link leads here.
    let of_project = page(&app, As::Owner, "/console/projects/default/tokens").await;
    assert!(of_project.contains("<a href=\"/console/tokens\">All projects</a>"), "{of_project}");
}

#[actix_web::test]
async fn what_is_done_to_selected_tokens_is_checked_for_each() {
    let (app, ids) = env().await;
    let selected = format!("{LIST}/selected");
    let mut fields = vec![("_action", "disable")];
    fields.extend(ids.values().map(|id| ("token", id.as_str())));
    let refused = text(&form(&app, As::Owner, &selected, &fields).await, 409);
    for name in ["read", "shared", "partly", "unseen", "wide"] {
        assert!(refused.contains(&ids[name]), "{name}: {refused}");
    }
    assert!(!refused.contains(&ids["own"]), "{refused}");
    let at = format!("href=\"/console/projects/theirs/tokens/{}\"", ids["read"]);
    assert!(refused.contains(&at), "{refused}");
    assert_eq!(names(&app, As::Root, &format!("{LIST}?status=disabled")).await, ["own"]);

    // The question is asked about what may be read, and nothing else is named.
    fields[0] = ("_action", "revoke");
    let question = text(&form(&app, As::Owner, &selected, &fields).await, 200);
    assert!(question.contains("Revoke 4 tokens") && !question.contains(&ids["unseen"]), "{question}");
    let own = [("_action", "revoke"), ("_confirmed", "true"), ("token", ids["own"].as_str())];
    let done = leads_to(&form(&app, As::Owner, &selected, &own).await);
    assert_eq!(done, format!("{LIST}?done=tokens-revoked"));
    assert_eq!(names(&app, As::Owner, LIST).await, ["partly", "read", "shared"]);

    // A reader of tokens may do nothing with any of them.
    let enable = [("_action", "enable"), ("token", ids["read"].as_str())];
    text(&form(&app, As::Viewer, &selected, &enable).await, 403);
}

#[actix_web::test]
async fn projects_are_offered_when_one_is_to_be_chosen() {
    let (app, _) = env().await;
    let offered = async |who| {
        let part = text(&app.get(who, "/console/choices/projects").await, 200);
        let options =
            part.split("<option value=\"").skip(1).map(|option| between(option, "", "\"").to_owned());
        options.collect::<Vec<_>>()
    };
    assert_eq!(offered(As::Owner).await, ["default", "theirs"]);
    assert_eq!(offered(As::Root).await, ["default", "elsewhere", "hidden", "theirs"]);
    let list = page(&app, As::Root, LIST).await;
    assert!(
        list.contains("hx-get=\"/console/choices/projects\"") && !list.contains("<option value=\"hidden\"")
    );
}
