//! From a new instance to a client token that is stored, with few clicks.

use std::time::Duration;

use latchkey_testkit::{env::Store, server::ADMIN};

use crate::{
    browser::Browser,
    site::{PASSWORD, Site},
};

/// The most clicks besides typing.
const MAX_CLICKS: u32 = 4;

fn set_up(browser: &Browser, token: &str, password: &str) {
    browser.fill("First admin token", token);
    browser.fill("User name", "ada");
    browser.fill("Password", password);
    browser.click("Create the first user");
}

fn the_first_visit_ends_with_a_token(store: Store) {
    let site = Site::empty(store);
    let browser = site.browser();
    browser.open("/");
    let begin = browser.now();
    browser.see_heading("Set Latchkey up");
    set_up(&browser, ADMIN, PASSWORD);
    browser.see_heading("Tokens");
    browser.click("New token");
    browser.see_heading("New token");
    browser.fill("Name", "web shop");
    browser.click("Create the token");
    browser.see_heading("web shop was created");
    browser.click("Copy the secret");
    browser.see("Copied");
    let clicks = browser.clicks();
    println!(
        "from the first page to a copied secret: {clicks} clicks, {:.1} s without the time of typing",
        Duration::from_millis(browser.now() - begin).as_secs_f64()
    );
    assert!(clicks <= MAX_CLICKS, "{clicks} clicks");
    assert_eq!(site.verify(&browser.value("Secret")), 200);
    browser.inspect("the first secret");
}

#[test]
fn the_first_visit_ends_with_a_token_on_sqlite() {
    the_first_visit_ends_with_a_token(Store::Sqlite);
}

#[test]
fn the_first_visit_ends_with_a_token_on_postgres() {
    the_first_visit_ends_with_a_token(Store::Postgres);
}

#[test]
fn wrong_input_is_said_at_its_field() {
    let site = Site::empty(Store::Sqlite);
    let browser = site.browser();
    assert_eq!(browser.open("/console"), 200);
    browser.see_heading("Set Latchkey up");
    browser.inspect("set up");
    set_up(&browser, "not-a-token", PASSWORD);
    browser.see("This is not an admin token");
    assert!(browser.problem("First admin token").contains("not an admin token"));
    assert_eq!(browser.value("User name"), "ada", "what was entered is kept");
    browser.inspect_after("a wrong token", &[400]);
    set_up(&browser, ADMIN, "short");
    browser.wait("the problem", "return document.querySelector('#problem-password') !== null", &[]);
    assert_ne!(browser.problem("Password"), "");
    browser.inspect_after("a short password", &[400]);
    set_up(&browser, ADMIN, PASSWORD);
    browser.see_heading("Tokens");
    browser.inspect("no tokens yet");
    // The way is closed behind the first user.
    browser.open("/console/set-up");
    assert!(!browser.path().contains("set-up"), "{}", browser.path());
    browser.open("/console");

    browser.click("Sign out");
    browser.see_heading("Sign in");
    browser.see("You have signed out.");
    browser.fill("User name or e-mail address", "ada");
    browser.fill("Password", "wrong horse battery");
    browser.click("Sign in");
    browser.see("do not match");
    assert_eq!(browser.value("User name or e-mail address"), "ada");
    browser.inspect_after("a wrong password", &[401]);
    browser.fill("Password", PASSWORD);
    browser.click("Sign in");
    browser.see("Sign out");
}
