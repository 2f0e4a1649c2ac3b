use std::time::Duration;

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, PASSWORD, Response, TestApp};

use crate::browser::{between, form, leads_to, page, text};

const ACCOUNT: &str = "/console/account";
const CHANGE: &str = "/console/account/password";
const NEW: &str = "/console/account/tokens/new";
const OTHER_PASSWORD: &str = "a quite different horse";

/// Sends a form in a session.
async fn send(app: &TestApp, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Response {
    app.send_with(cookie, TestRequest::post().uri(path).set_form(fields)).await
}

async fn see(app: &TestApp, cookie: &str) -> Response {
    app.send_with(cookie, TestRequest::get().uri(ACCOUNT)).await
}

/// Signs in with a browser that calls itself so.
async fn sign_in_with(app: &TestApp, name: &str, agent: &str) -> String {
    let fields = [("username", name), ("password", PASSWORD)];
    let request =
        TestRequest::post().uri("/console/sign-in").set_form(fields).insert_header(("user-agent", agent));
    let response = app.send(As::Anonymous, request).await;
    response.header("set-cookie").expect("a session").split(';').next().expect("a pair").to_owned()
}

#[actix_web::test]
async fn everybody_sees_their_own_account() {
    let app = TestApp::new().await;
    for who in [As::Root, As::Owner, As::Member, As::Viewer] {
        let shown = page(&app, who, ACCOUNT).await;
        assert!(shown.contains("you have come by a personal access token"), "{shown}");
        assert!(shown.contains("<bdi>test</bdi>") && !shown.contains("this one</small>"), "{shown}");
        assert!(page(&app, who, NEW).await.contains("name=\"description\""));
    }
    text(&app.get(As::Admin, ACCOUNT).await, 403);
}

#[actix_web::test]
async fn a_new_password_ends_all_sessions() {
    let app = TestApp::new().await;
    let (here, there) = (app.sign_in("Root").await, app.sign_in("Root").await);
    let fields = |old, new, again| [("oldPassword", old), ("password", new), ("confirmPassword", again)];

    let wrong = send(&app, &here, CHANGE, &fields("wrong", OTHER_PASSWORD, OTHER_PASSWORD)).await;
    let wrong = text(&wrong, 401);
    assert!(wrong.contains("id=\"problem-oldPassword\">This is not your current password."), "{wrong}");
    assert!(!wrong.contains(OTHER_PASSWORD), "a password is not sent back");
    let differ = text(&send(&app, &here, CHANGE, &fields(PASSWORD, OTHER_PASSWORD, "other")).await, 400);
    assert!(differ.contains("id=\"problem-confirmPassword\""), "{differ}");
    let weak = text(&send(&app, &here, CHANGE, &fields(PASSWORD, "short", "short")).await, 400);
    assert!(weak.contains("id=\"problem-password\"") && !weak.contains("short\""), "{weak}");
    text(&see(&app, &there).await, 200);

    let done = send(&app, &here, CHANGE, &fields(PASSWORD, OTHER_PASSWORD, OTHER_PASSWORD)).await;
    assert_eq!(leads_to(&done), "/console/sign-in?done=password-changed");
    assert!(page(&app, As::Anonymous, &leads_to(&done)).await.contains("Your password was changed."));
    for cookie in [&here, &there] {
        assert!(leads_to(&see(&app, cookie).await).starts_with("/console/sign-in"));
    }
    let fields = [("username", "Root"), ("password", OTHER_PASSWORD)];
    assert_eq!(leads_to(&form(&app, As::Anonymous, "/console/sign-in", &fields).await), "/console");
}

#[actix_web::test]
async fn sessions_are_listed_and_ended_one_by_one() {
    let app = TestApp::new().await;
    let other = sign_in_with(&app, "Owner", "<b>Lynx</b>").await;
    app.clock.advance(Duration::from_secs(1));
    let here = sign_in_with(&app, "Owner", "Firefox").await;
    let shown = text(&see(&app, &here).await, 200);
    assert!(shown.contains("&#60;b&#62;Lynx") && shown.contains("Firefox"), "{shown}");
    assert_eq!(shown.matches("this one</small>").count(), 1, "{shown}");
    // The newest is first.
    let ends: Vec<_> = shown
        .split("/console/account/sessions/")
        .skip(1)
        .map(|rest| format!("/console/account/sessions/{}", rest.split('"').next().expect("an end")))
        .collect();
    let [this, that] = ends.as_slice() else { panic!("two sessions: {shown}") };

    text(&form(&app, As::Member, that, &[]).await, 404);
    assert_eq!(
        leads_to(&send(&app, &here, that, &[]).await),
        format!("{ACCOUNT}?done=account-session-ended")
    );
    assert!(leads_to(&see(&app, &other).await).starts_with("/console/sign-in"));
    text(&send(&app, &here, that, &[]).await, 404);
    text(&send(&app, &here, "/console/account/sessions/none/end", &[]).await, 404);
    assert_eq!(leads_to(&send(&app, &here, this, &[]).await), "/console/sign-in?done=signed-out");
    assert!(leads_to(&see(&app, &here).await).starts_with("/console/sign-in"));
}

#[actix_web::test]
async fn one_signs_out_everywhere() {
    const EVERYWHERE: &str = "/console/account/sign-out-everywhere";
    let app = TestApp::new().await;
    let (here, there) = (app.sign_in("Member").await, app.sign_in("Member").await);
    let bystander = app.sign_in("Root").await;
    let asked = text(&app.send_with(&here, TestRequest::get().uri(EVERYWHERE)).await, 200);
    assert!(asked.contains("All your sessions end"), "{asked}");
    let done = send(&app, &here, EVERYWHERE, &[]).await;
    assert_eq!(leads_to(&done), "/console/sign-in?done=signed-out-everywhere");
    for cookie in [&here, &there] {
        assert!(leads_to(&see(&app, cookie).await).starts_with("/console/sign-in"));
    }
    text(&see(&app, &bystander).await, 200);

    let there = app.sign_in("Member").await;
    let done = form(&app, As::Member, EVERYWHERE, &[]).await;
    assert_eq!(leads_to(&done), format!("{ACCOUNT}?done=account-sessions-ended"));
    assert!(leads_to(&see(&app, &there).await).starts_with("/console/sign-in"));
}

#[actix_web::test]
async fn a_personal_token_is_shown_once_and_revoked_after_a_question() {
    let app = TestApp::new().await;
    let name = "<i>deploy</i>";
    let shown = form(&app, As::Owner, NEW, &[("description", name), ("_expires", "30")]).await;
    assert_eq!((shown.header("cache-control"), shown.header("content-encoding")), (Some("no-store"), None));
    let shown = text(&shown, 200);
    let secret = between(&shown, "class=\"mono\" value=\"", "\"").to_owned();
    assert!(shown.contains("data-secret-page=\"/console/account\""), "{shown}");
    assert!(shown.contains("&#60;i&#62;deploy") && !shown.contains(name), "{shown}");
    let me = app.send_by(&secret, TestRequest::get().uri("/api/admin/user")).await;
    assert_eq!(me.status, 200);

    let list = page(&app, As::Owner, ACCOUNT).await;
    assert!(list.contains("&#60;i&#62;deploy") && !list.contains(&secret), "{list}");
    let rest = between(&list, "&#60;i&#62;deploy", "</tr>");
    let revoke = format!("/console/account/tokens/{}", between(rest, "/console/account/tokens/", "\""));
    assert!(page(&app, As::Owner, &revoke).await.contains("This cannot be undone"));
    for (who, status) in [(As::Root, 404), (As::Viewer, 404)] {
        text(&app.get(who, &revoke).await, status);
        text(&form(&app, who, &revoke, &[]).await, status);
    }
    let done = leads_to(&form(&app, As::Owner, &revoke, &[]).await);
    assert_eq!(done, format!("{ACCOUNT}?done=account-token-revoked"));
    assert!(page(&app, As::Owner, &done).await.contains("The token was revoked."));
    text(&form(&app, As::Owner, &revoke, &[]).await, 404);
    assert_eq!(app.send_by(&secret, TestRequest::get().uri("/api/admin/user")).await.status, 401);
}

#[actix_web::test]
async fn what_is_wrong_with_a_personal_token_is_said() {
    let app = TestApp::new().await;
    let nothing = text(&form(&app, As::Owner, NEW, &[("description", ""), ("_expires", "30")]).await, 400);
    assert!(nothing.contains("id=\"problem-description\""), "{nothing}");
    let on = [("description", "ci"), ("_expires", "on"), ("_expiresOn", "")];
    let no_day = text(&form(&app, As::Owner, NEW, &on).await, 400);
    assert!(no_day.contains("id=\"problem-_expiresOn\"") && no_day.contains("value=\"ci\""), "{no_day}");
    let on = [("description", "ci"), ("_expires", "on"), ("_expiresOn", "2020-01-01")];
    let past = text(&form(&app, As::Owner, NEW, &on).await, 400);
    assert!(past.contains("must lie in the future"), "{past}");
    let never = [("description", "ci"), ("_expires", "never")];
    text(&form(&app, As::Owner, NEW, &never).await, 400);
    let taken = text(&form(&app, As::Owner, NEW, &[("description", "test"), ("_expires", "7")]).await, 409);
    assert!(taken.contains("role=\"alert\""), "{taken}");
    for name in ["one", "two"] {
        text(&form(&app, As::Owner, NEW, &[("description", name), ("_expires", "7")]).await, 200);
    }
    let many = text(&form(&app, As::Owner, NEW, &[("description", "three"), ("_expires", "7")]).await, 403);
    assert!(many.contains("Too many personal access tokens") && many.contains("value=\"three\""), "{many}");
}
