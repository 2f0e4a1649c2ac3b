//! Questions are asked in a dialog over the page. (Without JavaScript they are pages: `plain`.)

use latchkey_testkit::{env::Store, raw_http::Request};
use serde_json::json;

use crate::{
    browser::{Browser, ESCAPE},
    site::{PASSWORD, Role, Site, TOKENS},
};

/// Goes to a token, and opens the question whether it is to be revoked.
fn at_a_question(browser: &Browser, token: &str) {
    browser.open(&format!("{TOKENS}/{token}"));
    browser.see_heading("web shop");
    asks(browser, token);
}

#[track_caller]
fn asks(browser: &Browser, token: &str) {
    browser.click("Revoke…");
    browser.see_heading("Revoke web shop");
    assert_eq!(browser.path(), format!("{TOKENS}/{token}"), "the page stays below");
}

#[track_caller]
fn is_closed(browser: &Browser, link: &str) {
    let script = "return document.querySelector('dialog[open]') === null && document.activeElement.innerText === arguments[0]";
    browser.wait("the focus on the link", script, &[json!(link)]);
}

#[test]
fn a_question_is_closed_in_every_way_and_the_focus_goes_back() {
    let site = Site::start(Store::Sqlite);
    let (token, secret) = site.token("web shop");
    let browser = site.browser_of(Role::Member);
    at_a_question(&browser, &token);
    browser.inspect("a question");
    let labelled = "return document.getElementById(document.querySelector('dialog').getAttribute('aria-labelledby')).innerText";
    assert_eq!(browser.string(labelled), "Revoke web shop");
    browser.session.press(ESCAPE);
    is_closed(&browser, "Revoke…");
    asks(&browser, &token);
    browser.click("Cancel");
    is_closed(&browser, "Revoke…");
    asks(&browser, &token);
    browser.click("Close");
    is_closed(&browser, "Revoke…");
    asks(&browser, &token);
    browser.click_at(5, 5);
    is_closed(&browser, "Revoke…");
    // A click in it closes nothing.
    asks(&browser, &token);
    browser.click_on_the_dialog();
    browser.click("Cancel");
    is_closed(&browser, "Revoke…");
    assert_eq!(site.verify(&secret), 200, "nothing was done");
}

#[test]
fn what_is_wrong_is_said_in_the_dialog() {
    let site = Site::start(Store::Sqlite);
    site.made("/api/admin/projects", &json!({ "id": "shop", "name": "The shop" }));
    let token = json!({ "tokenName": "web", "type": "client", "environment": "development" });
    site.made("/api/admin/projects/shop/api-tokens", &token);
    let browser = site.browser_of(Role::Admin);
    browser.open("/console/projects/shop");
    browser.see_heading("The shop");
    browser.click("Delete…");
    browser.see_heading("Delete The shop");
    browser.inspect("a question that needs an id");
    browser.type_text("the shop");
    browser.click("Delete The shop");
    let confirm = "To confirm, type its id: shop";
    browser.wait(
        "the focus on the field with the message",
        "return document.activeElement.matches('dialog[open] [aria-invalid=true]')",
        &[],
    );
    assert_eq!(browser.problem(confirm), "This is not the id of the project.");
    assert_eq!(browser.path(), "/console/projects/shop");
    browser.inspect_after("a wrong id", &[400]);
    browser.fill(confirm, "shop");
    browser.click("Delete The shop");
    browser.see_heading("Projects");
    assert!(browser.path().starts_with("/console/projects?done="), "{}", browser.path());
    browser.inspect("deleted");
}

#[test]
fn what_another_browser_has_answered_is_not_there() {
    let site = Site::start(Store::Sqlite);
    let (token, _) = site.token("web shop");
    let [first, second] = [Role::Owner, Role::Member].map(|role| {
        let browser = site.browser_of(role);
        at_a_question(&browser, &token);
        browser
    });
    first.click("Revoke web shop");
    first.see("The token was revoked.");
    second.click("Revoke web shop");
    second.see_heading("There is nothing here");
    second.inspect_after("revoked already", &[404]);
    second.session.press(ESCAPE);
    is_closed(&second, "Revoke…");
    // The page of the failure is where the browser goes to if there is no question.
    second.click("Revoke…");
    second.see_heading("There is nothing here");
    assert!(second.path().ends_with("/revoke"), "{}", second.path());
    second.inspect_after("no question", &[404]);
}

#[test]
fn a_session_that_ends_at_a_question_leads_to_sign_in_and_back_to_it() {
    let site = Site::start(Store::Sqlite);
    let (token, _) = site.token("web shop");
    let browser = site.browser();
    let cookie = site.server().sign_in(Role::Owner.username(), PASSWORD).expect("signed in");
    browser.open("/console/sign-in");
    browser.set_cookie(&cookie);
    at_a_question(&browser, &token);
    let ended = site.server().send(&Request::get("/logout").header("cookie", &cookie));
    assert!(ended.status < 400, "{}: {}", ended.status, ended.text());
    browser.click("Revoke web shop");
    browser.see_heading("Sign in");
    browser.fill("User name or e-mail address", Role::Owner.username());
    browser.fill("Password", PASSWORD);
    browser.click("Sign in");
    browser.see_heading("Revoke web shop");
    assert_eq!(browser.path(), format!("{TOKENS}/{token}/revoke"));
    browser.click("Revoke web shop");
    browser.see("The token was revoked.");
}

#[test]
fn a_server_that_is_away_is_said_in_the_dialog() {
    let mut site = Site::start(Store::Sqlite);
    let (token, _) = site.token("web shop");
    let browser = site.browser_of(Role::Owner);
    at_a_question(&browser, &token);
    site.crash();
    browser.click("Revoke web shop");
    browser.see("The server cannot be reached.");
    browser.inspect_after("the server is away", &[0]);
    site.start_again();
    browser.click("Revoke web shop");
    browser.see("The token was revoked.");
    browser.inspect("the server is back");
}
