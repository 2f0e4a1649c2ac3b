//! Every page, visited as every role: it is shown or refused, and nothing is wrong with it.

use latchkey_testkit::env::Store;

use crate::{
    pages,
    site::{Role, Site},
};

fn pages_are_shown_or_refused(role: Role) {
    let site = Site::start(Store::Sqlite);
    let things = site.furnish();
    let browser = site.browser();
    let open = |path: &str| browser.open(&things.fill(path));
    assert_eq!(open("/console/sign-in"), 200);
    browser.inspect("sign in");
    site.sign_in(&browser, role);
    let mut problems = Vec::new();
    for page in pages::all() {
        let status = open(page.path);
        if !page.allows(role, status) {
            problems.push(format!("{}: {status}", page.path));
        }
        problems.extend(browser.problems(&[403]).into_iter().map(|one| format!("{}: {one}", page.path)));
    }
    assert!(problems.is_empty(), "as {role:?}:\n{}", problems.join("\n"));
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
