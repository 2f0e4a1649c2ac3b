//! Names that break pages which take them for something else.

use latchkey_testkit::env::Store;
use serde_json::json;

use crate::{
    browser::Browser,
    site::{Role, Site, TOKENS},
};

/// Creates a token of this name, and looks at every page that shows it.
fn a_name_is_shown_as_it_is(browser: &Browser, name: &str) {
    browser.open(&format!("{TOKENS}/new"));
    browser.see_heading("New token");
    browser.fill("Name", name);
    browser.click("Create the token");
    browser.see("Copy the secret now.");
    shows(browser, name);
    browser.inspect("a new secret");
    browser.click("I have stored it");
    browser.wait("the token", "return document.querySelector('dl') !== null", &[]);
    shows(browser, name);
    browser.inspect("a token");
    let one = browser.path();
    browser.open(TOKENS);
    shows(browser, name);
    browser.inspect("a list");
    for page in ["edit", "rotate", "revoke"] {
        browser.open(&format!("{one}/{page}"));
        shows(browser, name);
        browser.inspect(page);
    }
    browser.click(&format!("Revoke {name}"));
    browser.see("The token was revoked.");
}

#[track_caller]
fn shows(browser: &Browser, name: &str) {
    let script = "return document.querySelector('main').textContent.includes(arguments[0])";
    browser.wait("the name", script, &[json!(name)]);
}

#[test]
fn names_are_shown_as_they_are() {
    let site = Site::start(Store::Sqlite);
    let browser = site.browser_of(Role::Owner);
    let emoji = "\u{1f511}".repeat(255);
    let right_to_left = "\u{202e}\u{5de}\u{5e4}\u{5ea}\u{5d7} \u{5e9}\u{5dc} \u{5d0}\u{5d3}\u{5d4}";
    let markup = "<script>document.title = 'gone'</script><b>&amp;\"'";
    for name in [&emoji, right_to_left, markup] {
        a_name_is_shown_as_it_is(&browser, name);
        assert!(browser.string("return document.title").starts_with("Tokens"));
    }
}
