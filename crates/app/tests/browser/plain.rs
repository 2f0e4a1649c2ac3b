//! Without JavaScript.

use latchkey_testkit::{env::Store, wait::until_true};

use crate::site::{PASSWORD, Role, Site};

#[test]
fn a_token_is_created_and_revoked_without_javascript() {
    let site = Site::start(Store::Sqlite);
    let browser = site.browser_without_scripts();
    browser.open("/console/tokens");
    assert_eq!(browser.string("return typeof htmx"), "undefined");
    browser.see_heading("Sign in");
    browser.fill("User name or e-mail address", Role::Owner.username());
    browser.fill("Password", PASSWORD);
    browser.click("Sign in");
    browser.see_heading("Tokens");
    browser.click("New token");
    browser.fill("Name", "plain");
    browser.click("Create the token");
    browser.see_heading("plain was created");
    let secret = browser.value("Secret");
    assert_eq!(site.verify(&secret), 200);
    browser.click("I have stored it");
    browser.see_heading("plain");
    assert!(!browser.string("return document.documentElement.outerHTML").contains(&secret));

    browser.click("Tokens");
    browser.see_heading("Tokens");
    browser.fill("Name contains", "nothing");
    browser.click("Filter");
    browser.see("No token fits these filters.");
    browser.click("Clear all");
    browser.click("plain");
    browser.click("Revoke…");
    browser.see_heading("Revoke plain");
    // It was used a moment ago, which is known a moment later.
    until_true("the use is recorded", || {
        browser.reload();
        browser.text().contains("It is in use.")
    });
    browser.fill("To confirm, type its name: plain", "plain");
    browser.click("Revoke plain");
    browser.see("The token was revoked.");
    assert_eq!(browser.logged(&[]), Vec::<String>::new());
    until_true("the token is refused", || site.verify(&secret) == 401);
}
