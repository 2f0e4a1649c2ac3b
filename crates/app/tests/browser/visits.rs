//! Every page, visited as every role: it is shown or refused, and nothing is wrong with it.

use latchkey_testkit::env::Store;

use crate::{
    pages,
    site::{Role, Site},
};

fn pages_are_shown_or_refused(role: Role) {
    let site = Site::start(Store::Sqlite);
    let (token, secret) = site.token("web shop");
    assert_eq!(site.verify(&secret), 200);
    let browser = site.browser();
    let open = |path: &str| browser.open(&path.replace("{token}", &token));
    assert_eq!(open("/console/sign-in"), 200);
    browser.inspect("sign in");
    site.sign_in(&browser, role);
    for page in pages::all() {
        let status = open(page.path);
        assert!(page.allows(role, status), "{} as {role:?}: {status}", page.path);
        browser.inspect_after(&format!("{} as {role:?}", page.path), &[403]);
    }
    assert_eq!(open("/console/no/such/page"), 404);
    browser.inspect_after("a page that is not there", &[404]);
}

#[test]
fn pages_are_shown_or_refused_as_admin() {
    pages_are_shown_or_refused(Role::Admin);
}

#[test]
fn pages_are_shown_or_refused_as_owner() {
    pages_are_shown_or_refused(Role::Owner);
}

#[test]
fn pages_are_shown_or_refused_as_member() {
    pages_are_shown_or_refused(Role::Member);
}

#[test]
fn pages_are_shown_or_refused_as_viewer() {
    pages_are_shown_or_refused(Role::Viewer);
}
