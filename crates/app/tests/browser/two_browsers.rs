//! Two browsers change the same token.

use latchkey_testkit::env::Store;

use crate::site::{Role, Site, TOKENS};

#[test]
fn the_later_change_is_asked_about_and_keeps_what_was_entered() {
    let site = Site::start(Store::Sqlite);
    let (token, _) = site.token("web shop");
    let [first, second] = [Role::Owner, Role::Member].map(|role| {
        let browser = site.browser_of(role);
        browser.open(&format!("{TOKENS}/{token}/edit"));
        browser.see_heading("Edit web shop");
        browser
    });
    first.fill("Description", "first");
    first.fill("Owner", "olga");
    first.click("Save changes");
    first.see("The token was changed.");

    second.fill("Description", "second");
    second.click("Save changes");
    second.see("This token was changed by another request meanwhile.");
    assert_eq!(second.value("Description"), "second", "what was entered is kept");
    second.inspect_after("a conflict", &[409]);
    first.reload();
    first.see("first");

    // Sent again, it is what the visitor has seen.
    second.click("Save changes");
    second.see("The token was changed.");
    second.see("second");
}

#[test]
fn what_another_browser_has_revoked_is_not_there() {
    let site = Site::start(Store::Sqlite);
    let (token, _) = site.token("web shop");
    let [first, second] = [Role::Owner, Role::Member].map(|role| {
        let browser = site.browser_of(role);
        browser.open(&format!("{TOKENS}/{token}/revoke"));
        browser.see_heading("Revoke web shop");
        browser
    });
    first.click("Revoke web shop");
    first.see("The token was revoked.");
    second.click("Revoke web shop");
    second.see_heading("There is nothing here");
    second.inspect_after("revoked already", &[404]);
}
