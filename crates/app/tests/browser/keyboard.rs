//! A known token is revoked with three interactions, with the mouse and with the keyboard alone.

use latchkey_testkit::env::Store;

use crate::{
    browser::{Browser, ENTER},
    site::{Role, Site, TOKENS},
};

/// The most interactions: clicks, or keys that do something.
const MAX_INTERACTIONS: u32 = 3;

fn at_a_list() -> (Site, Browser) {
    let site = Site::start(Store::Sqlite);
    site.token("web shop");
    let browser = site.browser_of(Role::Member);
    browser.open(TOKENS);
    browser.see("web shop");
    (site, browser)
}

#[test]
fn a_known_token_is_revoked_with_three_clicks() {
    let (_site, browser) = at_a_list();
    browser.click("web shop");
    browser.click("Revoke…");
    browser.click("Revoke web shop");
    browser.see("The token was revoked.");
    assert!(browser.clicks() <= MAX_INTERACTIONS, "{} clicks", browser.clicks());
}

#[test]
fn a_known_token_is_revoked_by_the_keyboard_alone() {
    let (_site, browser) = at_a_list();
    let steps = [("web shop", "web shop"), ("Revoke…", "Revoke web shop"), ("Revoke web shop", "Tokens")];
    let mut tabs = Vec::new();
    for (name, heading) in steps {
        tabs.push(browser.tab_to(name));
        browser.session.press(ENTER);
        browser.see_heading(heading);
    }
    browser.see("The token was revoked.");
    println!("keys on the way to each of three elements: {tabs:?}");
    assert!(steps.len() <= MAX_INTERACTIONS as usize);
    assert_eq!(tabs.last(), Some(&0), "the question begins at its button");
    browser.inspect("revoked by the keyboard");
}

#[test]
fn the_first_key_leads_past_the_navigation() {
    let (_site, browser) = at_a_list();
    assert_eq!(browser.tab_to("Skip to the content"), 1);
    browser.session.press(ENTER);
    browser.wait("the content", "return document.activeElement.id === 'main'", &[]);
}
