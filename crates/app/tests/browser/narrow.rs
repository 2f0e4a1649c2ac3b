//! On a telephone: the page itself does not scroll sideways, and everything can be reached.

use latchkey_testkit::env::Store;

use crate::{
    inspection::NARROW,
    site::{Role, Site, TOKENS},
};

#[test]
fn a_token_is_created_and_revoked_on_a_narrow_screen() {
    let site = Site::start(Store::Sqlite);
    site.token(&"a-long-name-without-a-space-".repeat(9));
    let browser = site.browser_of(Role::Admin);
    browser.set_width(NARROW);
    let fits = |what: &str| assert_eq!(browser.width_problem(), None, "{what}");
    browser.open(TOKENS);
    fits("a list");
    browser.click("New token");
    browser.see_heading("New token");
    fits("a form");
    browser.fill("Name", "pocket");
    browser.click("Scopes, networks, limits, metadata");
    fits("a form with all fields");
    browser.click("Create the token");
    browser.see_heading("pocket was created");
    fits("a secret");
    browser.click("I have stored it");
    browser.see_heading("pocket");
    fits("a token");
    browser.click("Revoke…");
    browser.see_heading("Revoke pocket");
    fits("a question");
    browser.click("Revoke pocket");
    browser.see("The token was revoked.");
    fits("a list with a message");
    assert_eq!(browser.logged(&[]), Vec::<String>::new());
}
