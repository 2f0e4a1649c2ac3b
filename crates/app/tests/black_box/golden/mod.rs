//! The recorded cases: requests to Unleash and its responses.

pub(crate) mod differences;
pub(crate) mod elsewhere;
pub(crate) mod expected;
pub(crate) mod fixtures;
pub(crate) mod installation;
pub(crate) mod placeholders;
pub(crate) mod recordings;
pub(crate) mod rules;
pub(crate) mod setup;
pub(crate) mod shape;

use latchkey_testkit::{
    raw_http::{Request, Response},
    server::Server,
};
use serde_json::Value;

use crate::golden::setup::Known;

/// One recorded case.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The recorded server: `oss`, `multi` or `init`.
    pub(crate) server: String,
    pub(crate) setup: Vec<Value>,
    pub(crate) request: Value,
    pub(crate) response: Value,
}

impl Case {
    fn read(recorded: &Value) -> Self {
        let text = |name: &str| recorded[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned();
        Self {
            name: text("name"),
            server: text("server"),
            setup: recorded["setup"].as_array().expect("its steps").clone(),
            request: recorded["request"].clone(),
            response: recorded["response"].clone(),
        }
    }

    /// Returns the path of the request without its query.
    pub(crate) fn path(&self) -> &str {
        let path = self.request["path"].as_str().expect("a path");
        path.split_once('?').map_or(path, |(path, _)| path)
    }

    pub(crate) fn asks(&self, method: &str, path: &str) -> bool {
        self.request["method"] == method && self.path() == path
    }

    /// Returns whether the request had an `Authorization` header.
    pub(crate) fn is_authorized(&self) -> bool {
        self.request["headers"]["authorization"].is_string()
    }

    /// Returns whether the request had a cookie.
    pub(crate) fn has_cookie(&self) -> bool {
        self.request["headers"]["cookie"].is_string()
    }
}

/// Sends a recorded request, with the values of the set-up filled in.
pub(crate) fn send(server: &Server, recorded: &Value, known: &Known) -> Response {
    let text = |value: &Value| known.fill_in(value.as_str().expect("a text"));
    let mut request = Request::new(&text(&recorded["method"]), &text(&recorded["path"]));
    for (name, value) in recorded["headers"].as_object().into_iter().flatten() {
        request = request.header(name, &installation::header_here(name, &text(value)));
    }
    if let Some(raw) = recorded.get("rawBody") {
        request = request.body(raw_body(&text(raw)));
    } else if let Some(body) = recorded.get("body") {
        request = request.body(known.fill_in(&installation::body_here(body).to_string()));
    }
    server.send(&request)
}

/// Returns the body to send. One is too large to be written out in the recording.
fn raw_body(recorded: &str) -> String {
    match recorded {
        "<a JSON object of about 103 kB>" => serde_json::json!({
            "tokenName": "x",
            "type": "client",
            "environment": "development",
            "projects": ["default"],
            "padding": "p".repeat(103_000),
        })
        .to_string(),
        other => other.to_owned(),
    }
}
