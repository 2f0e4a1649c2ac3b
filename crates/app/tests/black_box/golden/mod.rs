//! The recorded cases: requests that were sent to the reference, and what it answered.

pub(crate) mod differences;
pub(crate) mod expected;
pub(crate) mod rules;
pub(crate) mod setup;
pub(crate) mod shape;

use serde_json::Value;

use crate::{
    golden::setup::Known,
    server::Server,
    wire::{Answer, Call},
};

/// One recorded case.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) setup: Vec<Value>,
    pub(crate) request: Value,
    pub(crate) response: Value,
}

impl Case {
    fn read(recorded: &Value) -> Self {
        Self {
            name: recorded["name"].as_str().expect("a name").to_owned(),
            setup: recorded["setup"].as_array().expect("its steps").clone(),
            request: recorded["request"].clone(),
            response: recorded["response"].clone(),
        }
    }
}

/// The cases about project tokens.
pub(crate) fn project_token_cases() -> Vec<Case> {
    let recorded: Value =
        serde_json::from_str(include_str!("project-tokens.json")).expect("the recorded cases");
    recorded.as_array().expect("a list").iter().map(Case::read).collect()
}

/// Sends a recorded request, with what is known from the set-up put in its place.
pub(crate) fn send(server: &Server, request: &Value, known: &Known) -> Answer {
    let text = |value: &Value| known.fill_in(value.as_str().expect("a text"));
    let mut call = Call::new(&text(&request["method"]), &text(&request["path"]));
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        let (name, value) = known.header(name, &text(value));
        call = call.header(&name, &value);
    }
    if let Some(raw) = request.get("rawBody") {
        call = call.body(text(raw));
    } else if let Some(body) = request.get("body") {
        call = call.body(known.fill_in(&body.to_string()));
    }
    server.send(&call)
}
