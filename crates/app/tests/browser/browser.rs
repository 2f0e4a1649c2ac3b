//! What a visitor does with a browser. Everything waits until it can be done.

use std::{cell::Cell, thread};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use latchkey_testkit::wait::{try_until, until};
use serde_json::{Value, json};

use crate::driver::{Element, Session};

/// Keys, as the protocol numbers them.
pub(crate) const ESCAPE: &str = "\u{e00c}";
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";

/// Defines `plain(text)`: a text as people read it, whatever its white space.
const PLAIN: &str = r"
    const plain = (text) => text.replace(/\s+/g, ' ').trim();
";
/// Defines `place`: what can be reached, which is the open dialog if there is one.
const PLACE: &str = "const place = document.querySelector('dialog[open]') ?? document;";
/// Defines `named(selector, name)`: the first visible element of a selector that has this name for people.
const NAMED: &str = r"
    const named = (selector, name) => [...place.querySelectorAll(selector)].find((element) => {
        if (!element.checkVisibility({ visibilityProperty: true })) return false;
        const label = element.getAttribute('aria-label') ?? element.innerText;
        return plain(label) === name;
    }) ?? null;
";
/// Finds the field that a label names, or that has the name itself.
const FIELD: &str = r"
    const [name] = arguments;
    const text = (label) => plain(label.innerText);
    const label = [...place.querySelectorAll('label')].find((label) =>
        label.control?.checkVisibility() && (text(label) === name || text(label).startsWith(`${name} `)));
    return label?.control ?? [...place.querySelectorAll('[aria-label]')].find((one) => plain(one.ariaLabel) === name);
";
/// Whether htmx is at rest.
const SETTLED: &str = "!document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')";
/// What reads as a button or a link.
const ACTIONS: &str = "a[href], button, summary";

/// A browser that visits one server.
pub(crate) struct Browser {
    pub(crate) session: Session,
    server: String,
    /// The clicks so far. Going into a field is a part of typing.
    clicks: Cell<u32>,
}

impl Browser {
    /// Starts a browser for the server at this URL.
    pub(crate) fn start(server: &str) -> Self {
        Self::start_with(server, &[])
    }

    /// Starts a browser whose pages have no JavaScript.
    pub(crate) fn start_without_scripts(server: &str) -> Self {
        Self::start_with(server, &["--blink-settings=scriptEnabled=false"])
    }

    fn start_with(server: &str, arguments: &[&str]) -> Self {
        let browser =
            Self { session: Session::start(arguments), server: server.to_owned(), clicks: Cell::new(0) };
        browser.set_width(1280);
        browser
    }

    /// Makes the screen this wide.
    pub(crate) fn set_width(&self, width: u32) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.session.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Makes the system prefer `light` or `dark`.
    pub(crate) fn set_colours(&self, scheme: &str) {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.session.devtools("Emulation.setEmulatedMedia", &media);
    }

    /// Goes to a path, and returns the status of the page.
    #[track_caller]
    pub(crate) fn open(&self, path: &str) -> u64 {
        self.session.post("url", &json!({ "url": format!("{}{path}", self.server) }));
        let status = "return performance.getEntriesByType('navigation')[0].responseStatus";
        self.session.run(status, &[]).as_u64().expect("a status")
    }

    /// Loads the page again.
    #[track_caller]
    pub(crate) fn reload(&self) {
        self.session.post("refresh", &json!({}));
    }

    /// Goes back by one page.
    #[track_caller]
    pub(crate) fn back(&self) {
        self.session.post("back", &json!({}));
    }

    /// Gives the browser a cookie, `name=value`. It must be on a page of the server.
    #[track_caller]
    pub(crate) fn set_cookie(&self, pair: &str) {
        let (name, value) = pair.split_once('=').expect("a pair");
        self.session.post("cookie", &json!({ "cookie": { "name": name, "value": value, "path": "/" } }));
    }

    /// Returns the path and the query of the page.
    #[track_caller]
    pub(crate) fn path(&self) -> String {
        self.string("return location.pathname + location.search")
    }

    /// Returns the text of the page that can be seen.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        self.string("return document.body.innerText")
    }

    /// Returns what a script returns, which must be text.
    #[track_caller]
    pub(crate) fn string(&self, script: &str) -> String {
        let value = self.session.run(script, &[]);
        value.as_str().unwrap_or_else(|| panic!("{script}: {value}")).to_owned()
    }

    /// Returns the milliseconds of the browser's clock.
    #[track_caller]
    pub(crate) fn now(&self) -> u64 {
        self.session.run("return Date.now()", &[]).as_u64().expect("a number")
    }

    /// Returns the clicks so far.
    pub(crate) fn clicks(&self) -> u32 {
        self.clicks.get()
    }

    /// Waits for something that a script says of the page.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, script: &str, arguments: &[Value]) {
        let holds = || {
            // The page may be on its way to another.
            let body = json!({ "script": script, "args": arguments });
            let value = self.session.try_post("execute/sync", &body).unwrap_or_default();
            (value == Value::Bool(true)).then_some(())
        };
        assert!(try_until(holds).is_some(), "timed out: {what}, at {}:\n{}", self.path(), self.text());
    }

    /// Waits until the page, or the dialog that is open over it, has this heading.
    #[track_caller]
    pub(crate) fn see_heading(&self, text: &str) {
        let script = format!(
            "{PLAIN} {PLACE} return document.readyState === 'complete' && {SETTLED} && \
             plain(place.querySelector('h1')?.innerText ?? '').startsWith(arguments[0])"
        );
        self.wait(&format!("the heading {text:?}"), &script, &[json!(text)]);
    }

    /// Waits until the page shows this text.
    #[track_caller]
    pub(crate) fn see(&self, text: &str) {
        let script =
            format!("{PLAIN} return {SETTLED} && plain(document.body.innerText).includes(arguments[0])");
        self.wait(&format!("the text {text:?}"), &script, &[json!(text)]);
    }

    /// Clicks a button or a link of this name.
    #[track_caller]
    pub(crate) fn click(&self, name: &str) {
        self.clicks.set(self.clicks.get() + 1);
        let script = format!("{PLAIN} {PLACE} {NAMED} return named({ACTIONS:?}, arguments[0])");
        self.click_when_found(name, &script);
    }

    /// Chooses a box or a radio button by its label.
    #[track_caller]
    pub(crate) fn choose(&self, label: &str) {
        self.clicks.set(self.clicks.get() + 1);
        self.click_when_found(label, &format!("{PLAIN} {PLACE} {FIELD}"));
    }

    #[track_caller]
    fn click_when_found(&self, name: &str, script: &str) {
        let body = json!({ "script": script, "args": [name] });
        let clicked = try_until(|| {
            let element = Element::of(&self.session.try_post("execute/sync", &body).ok()?)?;
            match self.session.click(&element) {
                Ok(()) => Some(()),
                // The page is changing: it is found anew.
                Err(error) if is_passing(&error.kind) => None,
                Err(error) => panic!("cannot click {name:?}: {error}"),
            }
        });
        assert!(clicked.is_some(), "cannot click {name:?}, at {}:\n{}", self.path(), self.text());
    }

    /// Clicks at a point of the screen.
    #[track_caller]
    pub(crate) fn click_at(&self, x: i64, y: i64) {
        let parts = [
            json!({ "type": "pointerMove", "duration": 0, "x": x, "y": y }),
            json!({ "type": "pointerDown", "button": 0 }),
            json!({ "type": "pointerUp", "button": 0 }),
        ];
        let mouse = json!({ "type": "pointer", "id": "mouse", "actions": parts });
        self.session.post("actions", &json!({ "actions": [mouse] }));
    }

    /// Clicks in the open dialog where nothing is.
    #[track_caller]
    pub(crate) fn click_on_the_dialog(&self) {
        let corner = "const box = document.querySelector('dialog[open]').getBoundingClientRect(); \
                      return [Math.round(box.left) + 4, Math.round(box.bottom) - 4]";
        let corner = self.session.run(corner, &[]);
        let place = |index: usize| corner[index].as_i64().expect("a number");
        self.click_at(place(0), place(1));
    }

    /// Replaces the text of a field, given by its label.
    #[track_caller]
    pub(crate) fn fill(&self, label: &str, text: &str) {
        let field = self.field(label);
        self.session.run("const [field] = arguments; field.focus(); field.select?.()", &[field.argument()]);
        self.type_text(text);
    }

    /// Types where the focus is, also what no key has.
    #[track_caller]
    pub(crate) fn type_text(&self, text: &str) {
        self.session.devtools("Input.insertText", &json!({ "text": text }));
    }

    /// Returns the value of a field, given by its label.
    #[track_caller]
    pub(crate) fn value(&self, label: &str) -> String {
        let value = self.session.run("return arguments[0].value", &[self.field(label).argument()]);
        value.as_str().expect("a text").to_owned()
    }

    /// Returns what is said to be wrong with a field, given by its label.
    #[track_caller]
    pub(crate) fn problem(&self, label: &str) -> String {
        let script = "const [field] = arguments; if (field.getAttribute('aria-invalid') !== 'true') return ''; \
                      return field.getAttribute('aria-describedby').split(' ') \
                          .map((id) => document.getElementById(id)).filter((one) => one?.matches('.problem')) \
                          .map((one) => one.innerText).join(' ')";
        let problem = self.session.run(script, &[self.field(label).argument()]);
        problem.as_str().expect("a text").to_owned()
    }

    #[track_caller]
    fn field(&self, label: &str) -> Element {
        let body = json!({ "script": format!("{PLAIN} {PLACE} {FIELD}"), "args": [label] });
        let find = || Element::of(&self.session.try_post("execute/sync", &body).ok()?);
        until(&format!("a field {label:?} at {}", self.path()), find)
    }

    /// Returns a picture of the whole page, as PNG.
    pub(crate) fn picture(&self) -> Vec<u8> {
        self.session.devtools("Emulation.setScrollbarsHidden", &json!({ "hidden": true }));
        let shot = json!({ "captureBeyondViewport": true });
        let picture = self.session.devtools("Page.captureScreenshot", &shot);
        BASE64_STANDARD.decode(picture["data"].as_str().expect("a picture")).expect("base64")
    }

    /// Presses Tab until the focus is on a button, a link or a field of this name; returns how often.
    #[track_caller]
    pub(crate) fn tab_to(&self, name: &str) -> u32 {
        let script = format!(
            "{PLAIN} const one = document.activeElement; \
             return plain(one.getAttribute('aria-label') ?? one.labels?.[0]?.innerText ?? one.innerText)"
        );
        let mut presses = 0;
        loop {
            let here = self.string(&script);
            if here == name {
                return presses;
            }
            assert!(presses < 200, "the focus does not come to {name:?}, it is on {here:?}");
            self.session.press(TAB);
            presses += 1;
        }
    }
}

/// What has not been looked for before is looked for at the end.
impl Drop for Browser {
    fn drop(&mut self) {
        if !thread::panicking() {
            assert_eq!(
                self.logged(&[0, 400, 401, 403, 404, 409]),
                Vec::<String>::new(),
                "the log at the end"
            );
        }
    }
}

/// Whether an element could not be clicked only because the page was changing.
fn is_passing(kind: &str) -> bool {
    ["stale element reference", "element click intercepted", "element not interactable"].contains(&kind)
}
