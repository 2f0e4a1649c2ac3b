mod groups;

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, PASSWORD, TestApp};

use crate::browser::{between, form, leads_to, page, text};

const USERS: &str = "/console/people/users";
const SERVICES: &str = "/console/people/service-accounts";
const GROUPS: &str = "/console/people/groups";
const ROLES: &str = "/console/people/roles";
/// The ids of built-in roles.
const ADMIN: &str = "1";
const EDITOR: &str = "2";
const VIEWER: &str = "3";

/// Sends a form that creates something, and returns the path of its page.
async fn created(app: &TestApp, root: &str, fields: &[(&str, &str)]) -> String {
    let target = leads_to(&form(app, As::Root, &format!("{root}/new"), fields).await);
    let (path, done) = target.split_once('?').expect("what was done");
    assert!(path.starts_with(root) && done.ends_with("-created"), "{target}");
    path.to_owned()
}

/// Sends a form that succeeds, and returns the page that it leads to.
async fn done(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> String {
    let target = leads_to(&form(app, As::Root, path, fields).await);
    page(app, As::Root, &target).await
}

/// Returns the names in the heads of the rows of a page.
fn names(page: &str) -> Vec<&str> {
    page.split("<th scope=\"row\">").skip(1).map(|row| between(row, "<bdi>", "</bdi>")).collect()
}

#[actix_web::test]
async fn a_visitor_sees_the_tabs_that_they_may_use() {
    let app = TestApp::new().await;
    assert_eq!(leads_to(&app.get(As::Root, "/console/people").await), USERS);
    assert_eq!(leads_to(&app.get(As::Viewer, "/console/people").await), ROLES);
    for path in [USERS, SERVICES, GROUPS, ROLES] {
        let shown = page(&app, As::Root, path).await;
        assert!(shown.contains(&format!("<a href=\"{path}\" aria-current=\"page\">")), "{shown}");
        for tab in [USERS, SERVICES, GROUPS, ROLES] {
            assert!(shown.contains(&format!("<a href=\"{tab}\"")), "{tab}: {shown}");
        }
    }
    for who in [As::Editor, As::Owner, As::Member, As::Viewer] {
        for path in [USERS, SERVICES, GROUPS] {
            let refused = text(&app.get(who, path).await, 403);
            assert!(refused.contains("<code>ADMIN</code>"), "{refused}");
        }
        // Roles are open to every user.
        let roles = page(&app, who, ROLES).await;
        assert!(roles.contains(">Editor</bdi>") && !roles.contains("New role"), "{roles}");
        assert!(!roles.contains(&format!("<a href=\"{USERS}\"")), "{roles}");
        let role = page(&app, who, &format!("{ROLES}/{EDITOR}")).await;
        assert!(!role.contains("/edit") && !role.contains("/delete"), "{role}");
    }
}

#[actix_web::test]
async fn every_form_is_refused_with_the_permission_before_it_is_read() {
    let app = TestApp::new().await;
    let id = app.user_of(As::Viewer).await.id;
    for path in [
        format!("{USERS}/new"),
        format!("{USERS}/{id}/edit"),
        format!("{USERS}/{id}/password"),
        format!("{USERS}/{id}/delete"),
        format!("{SERVICES}/new"),
        format!("{SERVICES}/1/edit"),
        format!("{SERVICES}/1/delete"),
        format!("{SERVICES}/1/tokens/new"),
        format!("{SERVICES}/1/tokens/1/revoke"),
        format!("{GROUPS}/new"),
        format!("{GROUPS}/1/edit"),
        format!("{GROUPS}/1/delete"),
        format!("{ROLES}/new"),
        format!("{ROLES}/{EDITOR}/edit"),
        format!("{ROLES}/{EDITOR}/delete"),
    ] {
        for who in [As::Owner, As::Viewer] {
            let shown = text(&app.get(who, &path).await, 403);
            assert!(shown.contains("<code>ADMIN</code>"), "{path}: {shown}");
            text(&form(&app, who, &path, &[]).await, 403);
        }
    }
    for path in [format!("{GROUPS}/1/members"), format!("{GROUPS}/1/members/{id}/remove")] {
        text(&form(&app, As::Owner, &path, &[]).await, 403);
    }
}

#[actix_web::test]
async fn a_user_lives_from_their_form_to_their_end() {
    let app = TestApp::new().await;
    let fields = [("username", "ada"), ("email", "ada@example.com"), ("name", "Ada L"), ("rootRole", VIEWER)];
    let user = created(&app, USERS, &fields).await;
    let shown = page(&app, As::Root, &format!("{user}?done=people-user-created")).await;
    for part in ["The user was created.", "Ada L", "ada@example.com", ">Viewer</bdi>", "In no group"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("<strong>Yes</strong>"), "a viewer has no permission: {shown}");

    let edited = [("email", "ada@example.org"), ("name", ""), ("rootRole", EDITOR)];
    let shown = done(&app, &format!("{user}/edit"), &edited).await;
    for part in ["The changes were saved.", "Ada L", "ada@example.org", ">Editor</bdi>"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(shown.contains("<strong>Yes</strong>"), "{shown}");

    let weak = text(&form(&app, As::Root, &format!("{user}/password"), &[("password", "short")]).await, 400);
    assert!(weak.contains("id=\"problem-password\"") && !weak.contains("value=\"short\""), "{weak}");
    let shown = done(&app, &format!("{user}/password"), &[("password", PASSWORD)]).await;
    assert!(shown.contains("The password was set."), "{shown}");
    app.sign_in("ada").await;

    let question = page(&app, As::Root, &format!("{user}/delete")).await;
    assert!(question.contains("Delete user Ada L"), "{question}");
    let list = done(&app, &format!("{user}/delete"), &[]).await;
    assert!(list.contains("The user was deleted.") && !list.contains("Ada L"), "{list}");
    for path in ["", "/edit", "/password", "/delete"] {
        text(&app.get(As::Root, &format!("{user}{path}")).await, 404);
    }
    text(&form(&app, As::Root, &format!("{user}/delete"), &[]).await, 404);
}

#[actix_web::test]
async fn a_form_of_a_user_says_what_is_wrong_with_it() {
    let app = TestApp::new().await;
    let new = format!("{USERS}/new");
    let bad = [("username", "eve"), ("email", "no address"), ("password", PASSWORD), ("rootRole", VIEWER)];
    let again = text(&form(&app, As::Root, &new, &bad).await, 400);
    assert!(again.contains("id=\"problem-email\"") && again.contains("value=\"eve\""), "{again}");
    assert!(!again.contains(PASSWORD), "a password is not sent back");
    let nameless = text(&form(&app, As::Root, &new, &[("rootRole", VIEWER)]).await, 400);
    assert!(nameless.contains("role=\"alert\""), "{nameless}");
    let taken = [("username", "Root"), ("rootRole", VIEWER)];
    assert!(text(&form(&app, As::Root, &new, &taken).await, 400).contains("in use"));
    let unknown = [("username", "eve"), ("rootRole", "4")];
    assert!(text(&form(&app, As::Root, &new, &unknown).await, 400).contains("id=\"problem-rootRole\""));
    let weak = [("username", "eve"), ("rootRole", VIEWER), ("password", "short")];
    assert!(text(&form(&app, As::Root, &new, &weak).await, 400).contains("id=\"problem-password\""));
    assert!(!page(&app, As::Root, USERS).await.contains(">eve<"));
}

#[actix_web::test]
async fn the_last_administrator_stays() {
    let app = TestApp::new().await;
    let root = format!("{USERS}/{}", app.user_of(As::Root).await.id);
    let kept = text(&form(&app, As::Root, &format!("{root}/delete"), &[]).await, 403);
    assert!(kept.contains("role=\"alert\"") && kept.contains("Delete user"), "{kept}");
    text(&form(&app, As::Root, &format!("{root}/edit"), &[("rootRole", EDITOR)]).await, 403);
    assert!(page(&app, As::Root, &root).await.contains(">Admin</bdi>"));
}

#[actix_web::test]
async fn lists_are_searched_and_have_pages() {
    let app = TestApp::new().await;
    for number in 0..50 {
        app.user(&format!("user{number:02}"), "Viewer").await;
    }
    created(&app, SERVICES, &[("username", "user-program"), ("rootRole", VIEWER)]).await;
    let first = page(&app, As::Root, USERS).await;
    assert_eq!(names(&first).len(), 50);
    assert!(first.contains("?offset=50\">Next page"), "{first}");
    let second = page(&app, As::Root, &format!("{USERS}?offset=50")).await;
    // The users of the tests are there too.
    assert_eq!(names(&second).len(), 6);
    assert!(second.contains("<span>51–56</span>") && second.contains("?offset=0\">"), "{second}");
    let found = page(&app, As::Root, &format!("{USERS}?q=user4")).await;
    assert_eq!(names(&found).len(), 10);
    let programs = page(&app, As::Root, &format!("{SERVICES}?q=user")).await;
    assert_eq!(names(&programs), ["user-program"]);
    for nothing in ["q=nothing+here", "q=%00", "offset=99999999999999999999", "offset=18446744073709551615"] {
        page(&app, As::Root, &format!("{USERS}?{nothing}")).await;
    }
    assert!(page(&app, As::Root, &format!("{USERS}?q=zzz")).await.contains("Nothing is found here."));
}

#[actix_web::test]
async fn what_a_user_may_do_is_shown_for_a_project_and_through_groups() {
    let app = TestApp::new().await;
    let owner = format!("{USERS}/{}", app.user_of(As::Owner).await.id);
    let anywhere = page(&app, As::Root, &owner).await;
    assert_eq!(anywhere.matches("<strong>Yes</strong>").count(), 0, "{anywhere}");
    let in_default = page(&app, As::Root, &format!("{owner}?project=default")).await;
    assert_eq!(in_default.matches("<strong>Yes</strong>").count(), 5, "{in_default}");
    assert!(in_default.contains("Roles in default") && in_default.contains(">Owner</bdi>"), "{in_default}");
    assert!(in_default.contains("<option value=\"default\" selected>"), "{in_default}");
    let elsewhere = page(&app, As::Root, &format!("{owner}?project=elsewhere")).await;
    assert_eq!(elsewhere.matches("<strong>Yes</strong>").count(), 0, "{elsewhere}");

    let group = created(&app, GROUPS, &[("name", "Editors"), ("rootRole", EDITOR)]).await;
    done(&app, &format!("{group}/members"), &[("_login", "owner@example.com")]).await;
    let shown = page(&app, As::Root, &owner).await;
    assert!(shown.contains(">Editors</bdi>") && shown.contains("<strong>Yes</strong>"), "{shown}");
}

#[actix_web::test]
async fn a_service_account_acts_by_its_tokens() {
    let app = TestApp::new().await;
    let fields = [("username", "deploy"), ("name", "Deployment"), ("rootRole", ADMIN)];
    let account = created(&app, SERVICES, &fields).await;
    let shown = page(&app, As::Root, &account).await;
    assert!(shown.contains("Deployment") && shown.contains("It has no tokens"), "{shown}");

    let new = format!("{account}/tokens/new");
    assert!(!page(&app, As::Root, &new).await.contains("value=\"never\""));
    let endless = text(&form(&app, As::Root, &new, &[("description", "ci")]).await, 400);
    assert!(endless.contains("role=\"alert\""), "{endless}");
    let undated = [("description", "ci"), ("_expires", "on"), ("_expiresOn", "")];
    assert!(text(&form(&app, As::Root, &new, &undated).await, 400).contains("id=\"problem-_expiresOn\""));
    let nameless = [("description", ""), ("_expires", "90")];
    assert!(text(&form(&app, As::Root, &new, &nameless).await, 400).contains("id=\"problem-description\""));

    let fields = [("description", "ci"), ("_expires", "90")];
    let response = form(&app, As::Root, &new, &fields).await;
    assert_eq!(response.header("cache-control"), Some("no-store"));
    let shown = text(&response, 200);
    let secret = between(&shown, "id=\"secret\" class=\"mono\" value=\"", "\"").to_owned();
    assert!(shown.contains(&format!("data-secret-page=\"{account}\"")), "{shown}");
    let ask = async || app.send_by(&secret, TestRequest::get().uri("/api/admin/roles")).await.status.as_u16();
    assert_eq!(ask().await, 200);
    assert!(text(&form(&app, As::Root, &new, &fields).await, 409).contains("role=\"alert\""));

    let shown = page(&app, As::Root, &account).await;
    assert!(shown.contains("aria-label=\"Revoke ci\"") && !shown.contains(&secret), "{shown}");
    let revoke = between(&shown, "<a class=\"button danger\" href=\"", "/revoke\"").rsplit_once("href=\"");
    let revoke = format!("{}/revoke", revoke.expect("the second link that deletes").1);
    let question = page(&app, As::Root, &revoke).await;
    assert!(question.contains("Revoke ci") && question.contains("Deployment"), "{question}");
    assert!(done(&app, &revoke, &[]).await.contains("The token was revoked."));
    assert_eq!(ask().await, 401);
    text(&app.get(As::Root, &revoke).await, 404);

    let shown = done(&app, &format!("{account}/edit"), &[("name", "Deploys"), ("rootRole", VIEWER)]).await;
    assert!(shown.contains("Deploys") && shown.contains(">Viewer</bdi>"), "{shown}");
    // A service account is no user, and a user is no service account.
    text(&app.get(As::Root, &account.replace("service-accounts", "users")).await, 404);
    text(&app.get(As::Root, &format!("{SERVICES}/{}", app.user_of(As::Root).await.id)).await, 404);
    assert!(
        page(&app, As::Root, &format!("{account}/delete")).await.contains("Delete service account Deploys")
    );
    assert!(done(&app, &format!("{account}/delete"), &[]).await.contains("The service account was deleted."));
    text(&app.get(As::Root, &account).await, 404);
    let bad = [("username", ""), ("rootRole", VIEWER)];
    let again = text(&form(&app, As::Root, &format!("{SERVICES}/new"), &bad).await, 400);
    assert!(again.contains("id=\"problem-username\""), "{again}");
}
