//! A session that ends, and a server that is away: nothing that was entered is lost, and it goes on afterwards.

use latchkey_testkit::{env::Store, raw_http::Request};

use crate::site::{PASSWORD, Role, Site, TOKENS};

#[test]
fn a_session_that_has_ended_leads_to_sign_in_and_back() {
    let site = Site::start(Store::Sqlite);
    let (token, _) = site.token("web shop");
    let browser = site.browser();
    let cookie = site.server().sign_in(Role::Owner.username(), PASSWORD).expect("signed in");
    browser.open("/console/sign-in");
    browser.set_cookie(&cookie);
    browser.open(&format!("{TOKENS}?name=web"));
    browser.see_heading("Tokens");
    let ended = site.server().send(&Request::get("/logout").header("cookie", &cookie));
    assert!(ended.status < 400, "{}: {}", ended.status, ended.text());

    // htmx asks for the page, and leaves for the whole page of signing in.
    browser.click("web shop");
    browser.see_heading("Sign in");
    browser.inspect("sign in again");
    browser.fill("User name or e-mail address", Role::Owner.username());
    browser.fill("Password", PASSWORD);
    browser.click("Sign in");
    browser.see_heading("web shop");
    assert_eq!(browser.path(), format!("{TOKENS}/{token}"));
}

#[test]
fn a_server_that_is_away_is_said_and_nothing_is_lost() {
    let mut site = Site::start(Store::Sqlite);
    let (token, _) = site.token("web shop");
    let browser = site.browser_of(Role::Owner);
    browser.open(&format!("{TOKENS}/{token}/edit"));
    browser.see_heading("Edit web shop");
    browser.fill("Description", "entered before");
    site.crash();
    browser.click("Save changes");
    browser.see("The server cannot be reached.");
    assert_eq!(browser.value("Description"), "entered before");
    browser.inspect_after("the server is away", &[0]);
    site.start_again();
    browser.click("Save changes");
    browser.see("The token was changed.");
    browser.see("entered before");
    browser.inspect("the server is back");
}
