//! Pictures of every page, for people to look at.

use std::{fs, path::Path};

use latchkey_testkit::env::Store;
use serde_json::json;

use crate::{
    browser::Browser,
    pages,
    site::{Role, Site, Things},
};

const WIDTHS: [u32; 3] = [1280, 320, 2560];

/// Takes pictures of the page as it is, in both colours and all widths.
fn take(browser: &Browser, name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screens");
    fs::create_dir_all(&folder).expect("a folder");
    for width in WIDTHS {
        browser.set_width(width);
        for colours in ["light", "dark"] {
            browser.set_colours(colours);
            let file = folder.join(format!("{name}-{width}-{colours}.png"));
            fs::write(file, browser.picture()).expect("a file");
        }
    }
}

/// Makes what an instance has after a while.
fn furnish(site: &Site) -> Things {
    let tokens = [
        json!({ "tokenName": "checkout", "type": "client", "environment": "production", "owner": "ada@example.com", "scopes": ["orders:read"] }),
        json!({ "tokenName": "storefront", "type": "frontend", "environment": "production", "expiresAt": "2099-01-01T00:00:00Z" }),
        json!({ "tokenName": "stock", "type": "client", "environment": "development", "enabled": false }),
        json!({ "tokenName": "old import", "type": "client", "environment": "development", "expiresAt": "2020-01-01T00:00:00Z" }),
    ];
    for token in tokens {
        site.made("/api/admin/projects/default/api-tokens", &token);
    }
    let (_, secret) = site.token("busy");
    for _ in 0..40 {
        site.verify(&secret);
    }
    site.furnish()
}

#[test]
#[ignore = "makes pictures for people: just screens"]
fn screens() {
    let site = Site::empty(Store::Sqlite);
    let browser = site.browser();
    browser.open("/console");
    take(&browser, "set-up");
    drop(site);
    let site = Site::start(Store::Sqlite);
    let things = furnish(&site);
    let browser = site.browser();
    browser.open("/console/sign-in");
    take(&browser, "sign-in");
    site.sign_in(&browser, Role::Admin);
    for page in pages::all() {
        browser.open(&things.fill(page.path));
        let name = page.path.trim_start_matches("/console").replace(['/', '?', '&', '=', '{', '}'], "-");
        take(&browser, &format!("page{name}"));
    }
    browser.open("/console/tokens/new");
    browser.fill("Name", "pictured");
    browser.click("Create the token");
    browser.see_heading("pictured was created");
    take(&browser, "secret");
    browser.open(&things.fill("/console/projects/default/tokens/{token}"));
    browser.click("Revoke…");
    browser.see_heading("Revoke web shop");
    take(&browser, "question");
    let browser = site.browser_of(Role::Viewer);
    browser.open("/console/projects/default/tokens");
    take(&browser, "forbidden");
}
