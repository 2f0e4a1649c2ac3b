//! The life of a token, from its form to its end.

use latchkey_testkit::{env::Store, wait::until_true};

use crate::{
    browser::Browser,
    site::{Role, Site, TOKENS},
};

fn create(browser: &Browser) -> String {
    browser.open(&format!("{TOKENS}/new"));
    browser.see_heading("New token");
    // Nothing is entered: the browser itself asks for the name, and nothing is sent.
    browser.click("Create the token");
    assert!(browser.path().ends_with("/new"), "{}", browser.path());
    browser.fill("Name", "web shop");
    browser.choose("In 30 days");
    browser.fill("Description", "Orders of the web shop");
    browser.click("Scopes, networks, limits, metadata");
    browser.fill("Allowed networks", "10.0.0.0/99");
    browser.click("Create the token");
    browser.wait("the problem", "return document.querySelector('[aria-invalid=true]') !== null", &[]);
    assert_ne!(browser.problem("Allowed networks"), "");
    assert_eq!(browser.value("Description"), "Orders of the web shop", "what was entered is kept");
    browser.inspect_after("wrong input", &[400]);
    browser.fill("Allowed networks", "127.0.0.0/8");
    browser.click("Create the token");
    browser.see_heading("web shop was created");
    let secret = copied(browser);
    browser.inspect("a new secret");
    secret
}

/// Copies the secret, and returns what the clipboard has.
fn copied(browser: &Browser) -> String {
    browser.click("Copy the secret");
    browser.see("Copied");
    let secret = browser.value("Secret");
    let permissions = serde_json::json!({ "permissions": ["clipboardReadWrite"] });
    browser.session.devtools("Browser.grantPermissions", &permissions);
    let script = "const done = arguments[arguments.length - 1]; \
                  navigator.clipboard.readText().then(done, (error) => done(`${error}`))";
    assert_eq!(browser.session.run_to_result(script, &[]), secret);
    secret
}

/// Goes on from a secret, and back: it is not shown again.
fn the_secret_is_gone(browser: &Browser, secret: &str) {
    browser.click("I have stored it");
    browser.see_heading("web shop");
    let is_shown = || browser.string("return document.documentElement.outerHTML").contains(secret);
    assert!(!is_shown(), "the page of the token shows it");
    browser.back();
    browser.wait("a page", "return document.readyState === 'complete'", &[]);
    assert!(!is_shown(), "it is shown again at {}", browser.path());
}

fn a_token_lives_from_its_form_to_its_end(store: Store) {
    let site = Site::start(store);
    let browser = site.browser_of(Role::Owner);
    let first = create(&browser);
    assert_eq!(site.verify(&first), 200);
    the_secret_is_gone(&browser, &first);

    browser.open(TOKENS);
    browser.see_heading("Tokens");
    browser.inspect("a list");
    browser.click("web shop");
    browser.see_heading("web shop");
    browser.see("Orders of the web shop");
    browser.inspect("a token");
    browser.click("Edit");
    browser.see_heading("Edit web shop");
    browser.inspect("a form to edit");
    browser.fill("Owner", "ada@example.com");
    browser.click("Save changes");
    browser.see("The token was changed.");
    browser.see("ada@example.com");
    browser.inspect("a changed token");

    browser.click("Rotate");
    browser.see_heading("Rotate web shop");
    browser.inspect("a form to rotate");
    browser.choose("1 hour");
    browser.click("Rotate");
    browser.see_heading("web shop has a new secret");
    browser.see("The secret before it is good until");
    let second = copied(&browser);
    browser.inspect("a rotated secret");
    assert_ne!(first, second);
    assert_eq!((site.verify(&first), site.verify(&second)), (200, 200));
    the_secret_is_gone(&browser, &second);

    browser.open(TOKENS);
    browser.click("web shop");
    browser.see_heading("web shop");
    browser.click("Disable");
    browser.see("The token was disabled.");
    until_true("the token is refused", || site.verify(&second) == 401);
    browser.inspect("a disabled token");
    browser.click("Enable");
    browser.see("The token was enabled.");
    until_true("the token is good", || site.verify(&second) == 200);

    revoke(&browser, &site, &second);
}

/// Revokes the token, which was used, so that its name has to be typed.
fn revoke(browser: &Browser, site: &Site, secret: &str) {
    until_true("the use is recorded", || {
        browser.reload();
        browser.see_heading("web shop");
        browser.string("return document.querySelector('dl').innerText.match(/Last used\\n(.*)/)[1]")
            != "Never"
    });
    browser.click("Revoke…");
    browser.see_heading("Revoke web shop");
    browser.see("It is in use.");
    browser.inspect("a question");
    browser.fill("To confirm, type its name: web shop", "web-shop");
    browser.click("Revoke web shop");
    browser.see("This is not the name of the token.");
    browser.inspect_after("a wrong name", &[400]);
    assert_eq!(site.verify(secret), 200);
    browser.fill("To confirm, type its name: web shop", "web shop");
    browser.click("Revoke web shop");
    browser.see("The token was revoked.");
    browser.see_heading("Tokens");
    browser.see("There are no tokens yet.");
    browser.inspect("no tokens");
    until_true("the token is refused", || site.verify(secret) == 401);
}

#[test]
fn a_token_lives_from_its_form_to_its_end_on_sqlite() {
    a_token_lives_from_its_form_to_its_end(Store::Sqlite);
}

#[test]
fn a_token_lives_from_its_form_to_its_end_on_postgres() {
    a_token_lives_from_its_form_to_its_end(Store::Postgres);
}

#[test]
fn selected_tokens_are_revoked_together() {
    let site = Site::start(Store::Sqlite);
    for name in ["one", "two", "three"] {
        site.token(name);
    }
    let browser = site.browser_of(Role::Member);
    browser.open(TOKENS);
    browser.choose("Select token one");
    browser.choose("Select token three");
    browser.click("Disable");
    browser.see("The selected tokens were disabled.");
    browser.inspect("disabled tokens");
    browser.choose("Select all tokens on this page");
    browser.click("Revoke…");
    browser.see_heading("Revoke 3 tokens");
    browser.inspect("a question for many");
    browser.click("Revoke 3 tokens");
    browser.see("The selected tokens were revoked.");
    browser.see("There are no tokens yet.");
    assert_eq!(browser.logged(&[]), Vec::<String>::new());
}

#[test]
fn a_list_is_filtered_while_the_visitor_types() {
    let site = Site::start(Store::Sqlite);
    for name in ["orders", "stock"] {
        site.token(name);
    }
    let browser = site.browser_of(Role::Owner);
    browser.open(TOKENS);
    browser.see("stock");
    browser.fill("Name contains", "ord");
    let only_orders =
        "return [...document.querySelectorAll('tbody th')].map((one) => one.innerText).join() === 'orders'";
    browser.wait("one token", only_orders, &[]);
    assert!(browser.path().contains("name=ord"), "{}", browser.path());
    browser.fill("Name contains", "nothing");
    browser.see("No token fits these filters.");
    browser.inspect("nothing found");
    browser.click("Clear all");
    browser.see("stock");
    // The address is that of the list: it can be sent to colleagues.
    browser.open(&format!("{TOKENS}?name=ord"));
    browser.wait("one token", only_orders, &[]);
}

#[test]
fn projects_are_offered_to_who_filters_by_one() {
    let site = Site::start(Store::Sqlite);
    site.token("stock");
    let browser = site.browser_of(Role::Admin);
    browser.open("/console/tokens");
    browser.see("stock");
    browser.fill("Project", "def");
    let offered =
        "return [...document.querySelectorAll('#projects option')].some((one) => one.value === 'default')";
    browser.wait("the projects", offered, &[]);
    browser.see("No token fits these filters.");
    browser.fill("Project", "default");
    browser.see("stock");
    assert!(browser.path().contains("project=default"), "{}", browser.path());
    browser.inspect("projects offered");
}
