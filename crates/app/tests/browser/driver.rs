//! Sessions of Chromium over the [WebDriver protocol](https://www.w3.org/TR/webdriver2/).
//!
//! The protocol is JSON over HTTP, and `ureq` is here already. `fantoccini` brings code under MPL-2.0, which `deny.toml` does not allow,
//! and `thirtyfour` changes the order of JSON members in the whole workspace.

use std::{fmt, process::Command, time::Duration};

use latchkey_testkit::{
    process::{Process, Signal, installed},
    wait::until,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

/// A command that takes longer hangs.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The member of an element in JSON, as the protocol has it.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser and its driver, which end together.
pub(crate) struct Session {
    agent: Agent,
    url: String,
    /// Ended after the session, which ends the browser.
    _driver: Process,
    _home: TempDir,
}

/// An element of a page.
#[derive(Debug, Clone)]
pub(crate) struct Element(String);

impl Element {
    /// Returns the element of a result, unless that is null.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        value[ELEMENT].as_str().map(|id| Self(id.to_owned()))
    }

    /// Returns it as an argument of a script.
    pub(crate) fn argument(&self) -> Value {
        json!({ ELEMENT: self.0 })
    }
}

/// The kind of an error, such as `stale element reference`, and its message.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) kind: String,
    message: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl Session {
    /// Starts a browser with these further arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let program = installed("chromedriver", "chromium-driver").expect("a driver");
        let chromium = installed("chromium", "chromium").expect("a browser");
        let home = tempfile::tempdir().expect("a directory");
        let mut command = Command::new(program);
        command.arg("--port=0").env("HOME", home.path());
        let mut driver =
            Process::start(&mut command, "chromedriver").expect("it starts").stopped_by(Signal::TERM);
        let port = until("the port of the driver", || {
            driver.check().expect("it runs");
            let output = driver.stdout();
            let (_, rest) = output.split_once("started successfully on port ")?;
            rest.split_once('.').map(|(port, _)| port.to_owned())
        });
        let mut all = vec![
            "--headless=new",
            // Tests run as root in containers, and visit nothing but their own server.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            // Colours that still change are none to measure.
            "--force-prefers-reduced-motion",
            "--lang=en",
        ];
        all.extend(arguments);
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "binary": chromium, "args": all },
        }}});
        let agent = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .build()
            .new_agent();
        let sessions = format!("http://127.0.0.1:{port}/session");
        let begun = answer(agent.post(&sessions).send(capabilities.to_string())).expect("a session");
        let id = begun["sessionId"].as_str().expect("an id");
        Self { agent, url: format!("{sessions}/{id}"), _driver: driver, _home: home }
    }

    /// Sends a command with a body.
    pub(crate) fn try_post(&self, command: &str, body: &Value) -> Result<Value, Refused> {
        answer(self.agent.post(format!("{}/{command}", self.url)).send(body.to_string()))
    }

    /// Sends a command with a body, which must succeed.
    #[track_caller]
    pub(crate) fn post(&self, command: &str, body: &Value) -> Value {
        self.try_post(command, body).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Runs a script, and returns what it returns.
    #[track_caller]
    pub(crate) fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.post("execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// Runs a script that calls its last argument with a result.
    #[track_caller]
    pub(crate) fn run_to_result(&self, script: &str, arguments: &[Value]) -> Value {
        self.post("execute/async", &json!({ "script": script, "args": arguments }))
    }

    /// Sends a command of Chromium's protocol for developer tools.
    #[track_caller]
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Clicks an element with the mouse.
    pub(crate) fn click(&self, element: &Element) -> Result<(), Refused> {
        self.try_post(&format!("element/{}/click", element.0), &json!({})).map(drop)
    }

    /// Presses keys where the focus is, one after the other.
    #[track_caller]
    pub(crate) fn press(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|what| json!({ "type": what, "value": key.to_string() }))
            })
            .collect();
        self.post(
            "actions",
            &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] }),
        );
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A browser that has ended already is what is wanted.
        drop(self.agent.delete(&self.url).call());
    }
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, Refused> {
    let mut response = response.expect("the driver responds");
    // Screenshots are large.
    let text = response.body_mut().with_config().limit(256 << 20).read_to_string().expect("a text");
    let mut body: Value = serde_json::from_str(&text).expect("JSON");
    let value = body["value"].take();
    if response.status().is_success() {
        return Ok(value);
    }
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    Err(Refused { kind: text("error"), message: text("message") })
}
