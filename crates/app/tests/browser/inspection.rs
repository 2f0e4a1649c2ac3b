//! What can be wrong with any page: a line in the browser's log, a rule of accessibility that is broken, a page that is wider than the
//! screen.

use latchkey_testkit::env::Store;
use serde_json::{Value, json};

use crate::{browser::Browser, site::Site};

/// axe-core, of which the first lines name the version and the licence.
const AXE: &str = include_str!("vendor/axe.min.js");
/// Runs the rules of WCAG 2.2 AA and what axe calls best practice.
const CHECK: &str = "const done = arguments[arguments.length - 1]; \
     const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']; \
     axe.run(document, { runOnly: tags, resultTypes: ['violations'] }).then( \
         ({ violations }) => done(violations.map(({ id, help, nodes }) => \
             `${id}: ${help}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join('; ')}`)), \
         (error) => done([`axe: ${error}`]))";

/// The width of the narrowest screen, and of an ordinary one.
pub(crate) const NARROW: u32 = 320;
pub(crate) const ORDINARY: u32 = 1280;

impl Browser {
    /// Fails if anything is wrong with the page as it is.
    #[track_caller]
    pub(crate) fn inspect(&self, state: &str) {
        self.inspect_after(state, &[]);
    }

    /// Fails if anything is wrong with the page as it is, except that it was refused with one of these statuses, or that the server was
    /// away (0).
    #[track_caller]
    pub(crate) fn inspect_after(&self, state: &str, statuses: &[u16]) {
        let problems = self.problems(statuses);
        assert!(problems.is_empty(), "{state}, at {}:\n{}", self.path(), problems.join("\n"));
    }

    /// Returns what is wrong with the page as it is, except such a refusal.
    #[track_caller]
    pub(crate) fn problems(&self, statuses: &[u16]) -> Vec<String> {
        let mut problems = Vec::new();
        for colours in ["light", "dark"] {
            self.set_colours(colours);
            problems.extend(self.violations().into_iter().map(|one| format!("{colours}: {one}")));
        }
        let gap =
            "return document.querySelector('main').offsetTop - document.querySelector('header').offsetHeight";
        if self.session.run(gap, &[]) != json!(0) {
            problems.push("the content does not begin below the header".to_owned());
        }
        self.set_width(NARROW);
        if let Some(problem) = self.width_problem() {
            problems.push(problem);
        }
        self.set_width(ORDINARY);
        problems.extend(self.logged(statuses));
        problems
    }

    /// Returns the rules of accessibility that the page breaks.
    #[track_caller]
    fn violations(&self) -> Vec<String> {
        if self.session.run("return typeof axe === 'undefined'", &[]) == Value::Bool(true) {
            self.session.run(AXE, &[]);
        }
        let violations = self.session.run_to_result(CHECK, &[]);
        serde_json::from_value(violations).expect("a list of texts")
    }

    /// Returns what is wrong with the width of the page.
    #[track_caller]
    pub(crate) fn width_problem(&self) -> Option<String> {
        let script = "const open = document.querySelector('dialog[open]'); \
                      if (open && (open.scrollWidth > open.clientWidth || open.getBoundingClientRect().right > innerWidth)) return 'the dialog'; \
                      const wide = document.documentElement.scrollWidth, screen = document.documentElement.clientWidth; \
                      if (wide <= screen) return null; \
                      const over = [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > screen + 1 && !one.closest('.scroll, pre')); \
                      return `${wide} px wide on a screen of ${screen}: ${over.map((one) => `${one.tagName}.${one.className}`).join(', ')}`";
        self.session.run(script, &[]).as_str().map(ToOwned::to_owned)
    }

    /// Returns the errors in the browser's log since this was last asked, except pages and forms that were refused with these statuses.
    #[track_caller]
    pub(crate) fn logged(&self, statuses: &[u16]) -> Vec<String> {
        let entries = self.session.post("se/log", &json!({ "type": "browser" }));
        let entries = entries.as_array().expect("a list");
        let is_error = |entry: &&Value| entry["level"] == "SEVERE" || entry["source"] == "security";
        let messages =
            entries.iter().filter(is_error).map(|entry| entry["message"].as_str().unwrap_or_default());
        messages.filter(|message| !is_refusal(message, statuses)).map(ToOwned::to_owned).collect()
    }
}

/// Whether a line of the log says that a request was refused with one of these statuses. What a page is made of is never refused.
fn is_refusal(message: &str, statuses: &[u16]) -> bool {
    let is_of_page = !(message.contains("/console/assets/") && message.contains("Failed to load"));
    is_of_page
        && statuses.iter().any(|status| match status {
            0 => ["net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET", "\"htmx:"]
                .iter()
                .any(|sign| message.contains(sign)),
            status => message.contains(&format!("status of {status} ")),
        })
}

#[test]
fn what_is_wrong_is_found() {
    let site = Site::empty(Store::Memory);
    let browser = site.browser();
    browser.open("/console");
    browser.see_heading("Set Latchkey up");
    assert_eq!(browser.violations(), Vec::<String>::new());
    let spoil = "document.querySelector('main').insertAdjacentHTML('beforeend', \
                 '<img src=\"data:,\"><p style=\"color: red\">inline</p>'); \
                 document.querySelector('h1').style.width = '2000px'";
    browser.session.run(spoil, &[]);
    assert!(browser.violations().concat().contains("image-alt"));
    assert!(browser.width_problem().is_some_and(|problem| problem.contains("H1")));
    browser.session.run("console.error('said')", &[]);
    let logged = browser.logged(&[]).concat();
    assert!(logged.contains("Content Security Policy") && logged.contains("said"), "{logged}");
}
