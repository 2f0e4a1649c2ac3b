use std::{collections::BTreeMap, time::Duration};

use latchkey_testkit::app::{As, TestApp};

use crate::browser::{between, form, leads_to, page, text};

const OF_ALL: &str = "/console/tokens";
const OF_PROJECT: &str = "/console/projects/default/tokens";

/// Creates a token by the form, and returns its secret and its id.
async fn created(app: &TestApp, who: As, root: &str, fields: &[(&str, &str)]) -> (String, String) {
    let empty = page(app, who, &format!("{root}/new")).await;
    let key = between(&empty, "name=\"_key\" value=\"", "\"").to_owned();
    let mut all = vec![
        ("_key", key.as_str()),
        ("tokenName", "shop"),
        ("type", "client"),
        ("environment", "development"),
    ];
    all.extend(fields);
    let shown = form(app, who, &format!("{root}/new"), &all).await;
    assert_eq!(shown.header("cache-control"), Some("no-store"));
    let shown = text(&shown, 200);
    let secret = between(&shown, "id=\"secret\" class=\"mono\" value=\"", "\"").to_owned();
    let id = between(&shown, &format!("data-secret-page=\"{root}/"), "\"").to_owned();
    // The form once more: the same token, and no other.
    let again = text(&form(app, who, &format!("{root}/new"), &all).await, 200);
    assert!(again.contains(&secret) && again.contains(&id));
    (secret, id)
}

#[actix_web::test]
async fn a_token_lives_from_its_form_to_its_end() {
    let app = TestApp::new().await;
    let (secret, id) = created(&app, As::Owner, OF_PROJECT, &[("_expires", "90"), ("owner", "ada")]).await;
    let list = page(&app, As::Owner, OF_PROJECT).await;
    assert!(list.contains("shop") && list.contains("ada") && !list.contains(&secret), "{list}");
    let one = page(&app, As::Owner, &format!("{OF_PROJECT}/{id}")).await;
    assert!(one.contains("API token created") && !one.contains(&secret), "{one}");

    let edit = format!("{OF_PROJECT}/{id}/edit");
    let seen = between(&page(&app, As::Owner, &edit).await, "name=\"_seen\" value=\"", "\"").to_owned();
    let fields = [
        ("_seen", seen.as_str()),
        ("_expires", "keep"),
        ("owner", "grace"),
        ("scopes[]", "a:read\r\nb:*"),
        ("rateLimit.requests:number", "5"),
        ("rateLimit.per", "PT1M"),
        ("metadata:json", "{\"team\":\"x\"}"),
    ];
    assert!(leads_to(&form(&app, As::Owner, &edit, &fields).await).ends_with("?done=token-changed"));
    let one = page(&app, As::Owner, &format!("{OF_PROJECT}/{id}?done=token-changed")).await;
    for part in ["The token was changed.", "grace", "a:read", "b:*", "5 / PT1M", "team"] {
        assert!(one.contains(part), "{part}: {one}");
    }
    // Another browser has the form as it was before.
    let late = text(&form(&app, As::Owner, &edit, &fields).await, 409);
    assert!(late.contains("changed by another request"), "{late}");

    let rotate = format!("{OF_PROJECT}/{id}/rotate");
    let rotated = text(&form(&app, As::Owner, &rotate, &[("overlap", "PT1H")]).await, 200);
    assert!(rotated.contains("has a new secret") && !rotated.contains(&secret), "{rotated}");

    let disabled =
        form(&app, As::Owner, &format!("{OF_PROJECT}/{id}/enabled"), &[("enabled:flag", "false")]).await;
    assert!(leads_to(&disabled).ends_with("?done=token-disabled"));
    assert!(page(&app, As::Owner, &format!("{OF_PROJECT}?status=disabled")).await.contains(&id));

    let revoke = format!("{OF_PROJECT}/{id}/revoke");
    assert!(page(&app, As::Owner, &revoke).await.contains("Revoke shop"));
    assert_eq!(
        leads_to(&form(&app, As::Owner, &revoke, &[]).await),
        format!("{OF_PROJECT}?done=token-revoked")
    );
    text(&app.get(As::Owner, &format!("{OF_PROJECT}/{id}")).await, 404);
}

#[actix_web::test]
async fn wrong_input_is_said_at_its_field_and_nothing_is_made() {
    let app = TestApp::new().await;
    let fields = [
        ("tokenName", ""),
        ("type", "client"),
        ("environment", "nowhere"),
        ("projects[]", "default"),
        ("_expires", "on"),
        ("_expiresOn", "soon"),
        ("allowedNetworks[]", "10.0.0.0/99"),
    ];
    let again = text(&form(&app, As::Root, "/console/tokens/new", &fields).await, 400);
    assert!(again.contains("id=\"problem-expiresAt\"") || again.contains("role=\"alert\""), "{again}");
    assert!(again.contains("problem-allowedNetworks[]"), "{again}");
    assert!(page(&app, As::Root, "/console/tokens?name=nothing").await.contains("No token fits"));
}

#[actix_web::test]
async fn what_one_may_not_do_is_not_shown_and_is_refused_with_the_permission() {
    let app = TestApp::new().await;
    let (_, id) = created(&app, As::Root, OF_ALL, &[("projects[]", "default"), ("_expires", "never")]).await;
    // A viewer may read the tokens of no project.
    let refused = text(&app.get(As::Viewer, OF_PROJECT).await, 403);
    assert!(refused.contains("<code>READ_PROJECT_API_TOKEN</code>"), "{refused}");
    assert!(refused.contains("id=\"nav\"") && refused.contains("viewer@example.com"), "{refused}");
    text(&app.get(As::MemberElsewhere, &format!("{OF_PROJECT}/{id}")).await, 403);
    for path in ["new", &format!("{id}/edit"), &format!("{id}/rotate"), &format!("{id}/revoke")] {
        text(&app.get(As::MemberElsewhere, &format!("{OF_PROJECT}/{path}")).await, 403);
        text(&form(&app, As::MemberElsewhere, &format!("{OF_PROJECT}/{path}"), &[]).await, 403);
    }
    text(&app.get(As::Viewer, OF_ALL).await, 403);
}

#[actix_web::test]
async fn names_are_shown_as_they_are() {
    let app = TestApp::new().await;
    let name = "<script>alert(1)</script> \u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{1f600}";
    created(&app, As::Root, OF_ALL, &[("tokenName", name), ("projects[]", "*"), ("_expires", "never")]).await;
    let list = page(&app, As::Root, OF_ALL).await;
    assert!(!list.contains("<script>alert"), "{list}");
    assert!(list.contains("&#60;script&#62;alert(1)"), "{list}");
}

#[actix_web::test]
async fn lists_are_filtered_sorted_and_exported_by_their_address() {
    let app = TestApp::new().await;
    for (name, expires, owner) in [("b", "7", "y"), ("a", "never", "x"), ("c", "365", "")] {
        app.clock.advance(Duration::from_secs(1));
        let fields = [("tokenName", name), ("_expires", expires), ("owner", owner)];
        created(&app, As::Owner, OF_PROJECT, &fields).await;
    }
    let names = async |query: &str| {
        let list = page(&app, As::Owner, &format!("{OF_PROJECT}?{query}")).await;
        let names: Vec<_> = list
            .split("<th scope=\"row\">")
            .skip(1)
            .map(|row| between(row, "<bdi>", "</bdi>").to_owned())
            .collect();
        names.concat()
    };
    assert_eq!(names("").await, "cab");
    assert_eq!(names("sortBy=tokenName&sortOrder=asc").await, "abc");
    assert_eq!(names("sortBy=expiresAt&sortOrder=asc").await, "bca");
    for (column, expected) in
        [("type", "bac"), ("project", "bac"), ("environment", "bac"), ("owner", "cab"), ("status", "bca")]
    {
        assert_eq!(names(&format!("sortBy={column}&sortOrder=asc")).await, expected, "{column}");
        let backwards: String = expected.chars().rev().collect();
        assert_eq!(names(&format!("sortBy={column}&sortOrder=desc")).await, backwards, "{column}");
    }
    // Every column has a heading that sorts by it.
    let list = page(&app, As::Owner, &format!("{OF_PROJECT}?sortBy=owner&sortOrder=asc")).await;
    let headings = list.matches("<th scope=\"col\"").count();
    assert_eq!((headings, list.matches("<svg class=\"sort\"").count()), (9, 9), "{list}");
    assert_eq!(list.matches("aria-sort=\"ascending\"").count(), 1, "{list}");
    assert_eq!(names("status=expiring").await, "b");
    assert_eq!(names("name=c&type=client&environment=development").await, "c");
    assert_eq!(names("status=disabled").await, "");
    let csv = app.get(As::Owner, &format!("{OF_PROJECT}/export.csv?status=expiring")).await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let csv = csv.text();
    assert!(
        csv.starts_with("id,name,type,") && csv.lines().count() == 2 && csv.contains(",b,client,default,"),
        "{csv}"
    );
}

/// Returns the names of the tokens in a list, each with its status there.
async fn names_and_statuses(app: &TestApp, path: &str) -> BTreeMap<String, String> {
    let list = page(app, As::Owner, path).await;
    let rows = list.split("<th scope=\"row\">").skip(1);
    rows.map(|row| {
        let status = between(row, "<span class=\"state ", "\"");
        (between(row, "<bdi>", "</bdi>").to_owned(), status.to_owned())
    })
    .collect()
}

#[actix_web::test]
async fn the_list_of_a_status_has_the_tokens_that_show_it() {
    let app = TestApp::without_quota().await;
    for (name, expires, is_disabled) in [
        ("on", "never", false),
        ("off", "never", true),
        ("over", "7", false),
        ("over-off", "7", true),
        ("soon", "30", false),
        ("soon-off", "30", true),
        ("later", "365", false),
    ] {
        let (_, id) =
            created(&app, As::Owner, OF_PROJECT, &[("tokenName", name), ("_expires", expires)]).await;
        if is_disabled {
            let path = format!("{OF_PROJECT}/{id}/enabled");
            leads_to(&form(&app, As::Owner, &path, &[("enabled:flag", "false")]).await);
        }
    }
    app.clock.advance(Duration::from_secs(20 * 86_400));
    app.use_cases.follow_changes().await.expect("followed");
    let all = names_and_statuses(&app, OF_PROJECT).await;
    for (status, expected) in [
        ("active", vec!["later", "on"]),
        ("expiring", vec!["soon"]),
        ("expired", vec!["over"]),
        ("disabled", vec!["off", "over-off", "soon-off"]),
    ] {
        let listed = names_and_statuses(&app, &format!("{OF_PROJECT}?status={status}")).await;
        assert_eq!(listed.keys().collect::<Vec<_>>(), expected, "{status}");
        let shown: BTreeMap<_, _> = all.clone().into_iter().filter(|(_, shown)| shown == status).collect();
        assert_eq!(listed, shown, "{status}");
        let csv = app.get(As::Owner, &format!("{OF_PROJECT}/export.csv?status={status}")).await.text();
        assert_eq!(csv.lines().count(), 1 + expected.len(), "{csv}");
        assert!(csv.lines().skip(1).all(|line| line.contains(&format!(",{status},"))), "{csv}");
    }
    // The counts of the overview are those of its lists.
    let overview = page(&app, As::Owner, "/console").await;
    let tile = between(&overview, &format!("href=\"{OF_PROJECT}?status=expiring\">"), "</a>");
    assert_eq!(between(tile, ">", "</strong>"), "1", "{overview}");
}

#[actix_web::test]
async fn selected_tokens_are_changed_together_and_revoked_after_a_question() {
    let app = TestApp::new().await;
    let (_, one) = created(&app, As::Owner, OF_PROJECT, &[("tokenName", "one"), ("_expires", "7")]).await;
    let (_, two) = created(&app, As::Owner, OF_PROJECT, &[("tokenName", "two"), ("_expires", "7")]).await;
    let selected = format!("{OF_PROJECT}/selected");
    let both = |action| vec![("_action", action), ("token", one.as_str()), ("token", two.as_str())];
    assert!(
        leads_to(&form(&app, As::Owner, &selected, &both("extend-90")).await)
            .ends_with("?done=tokens-extended")
    );
    assert!(page(&app, As::Owner, &format!("{OF_PROJECT}?status=expiring")).await.contains("No token fits"));
    let question = text(&form(&app, As::Owner, &selected, &both("revoke")).await, 200);
    assert!(question.contains("Revoke 2 tokens"), "{question}");
    let mut confirmed = both("revoke");
    confirmed.push(("_confirmed", "true"));
    assert!(leads_to(&form(&app, As::Owner, &selected, &confirmed).await).ends_with("?done=tokens-revoked"));
    let late = text(&form(&app, As::Owner, &selected, &both("disable")).await, 409);
    assert!(late.contains("Not everything could be done"), "{late}");
    assert!(
        leads_to(&form(&app, As::Owner, &selected, &[("_action", "disable")]).await)
            .ends_with("?done=none-selected")
    );
}
