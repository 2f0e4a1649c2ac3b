//! Applies the steps that a recorded case begins with. Steps for which Unleash has no route are in `fixtures`.

use std::collections::HashMap;

use latchkey_testkit::{
    env::TestEnv,
    raw_http::Response,
    server::{Server, percent_encoded},
};
use serde_json::{Value, json};

use crate::golden::{Case, fixtures, installation, send};

/// Cases with steps that are meant to be refused, and with what.
const REFUSED_STEPS: &[(&str, &[u16])] = &[
    ("no event for a failed create", &[400]),
    ("create: unknown role id leaves the user behind", &[400]),
    ("delete: PAT of another user still there", &[404]),
    ("rate: login, default 10 per minute and address", &[401, 429]),
];

/// The values of a set-up, under the names that the case gives them.
#[derive(Default)]
pub(crate) struct Known {
    /// `name.field` → value.
    fields: HashMap<String, String>,
}

/// A server after the set-up of a case.
pub(crate) struct Prepared {
    pub(crate) env: TestEnv,
    pub(crate) server: Server,
    pub(crate) known: Known,
    /// The response to a refused step that the request depends on.
    pub(crate) refused: Option<Response>,
}

/// Applies the set-up of a case.
pub(crate) fn prepare(case: &Case) -> Prepared {
    let (env, server) = installation::install(case);
    let mut prepared = Prepared { env, server, known: Known::default(), refused: None };
    for step in &case.setup {
        if !prepared.take(case, step) {
            break;
        }
    }
    prepared
}

impl Prepared {
    /// Applies one step; returns whether the next one can be applied.
    fn take(&mut self, case: &Case, step: &Value) -> bool {
        let Self { env, server, known, refused } = self;
        if step["fixture"].is_string() {
            fixtures::make(env, server, installation::admin_token(case), &known.filled_in(step));
            return true;
        }
        let answer = send(server, step, known);
        match step["as"].as_str() {
            Some(_) if answer.status >= 400 => *refused = Some(answer),
            Some(name) => known.note(name, &answer),
            None => {
                let meant = REFUSED_STEPS.iter().find(|(name, _)| *name == case.name);
                let is_meant = meant.is_some_and(|(_, statuses)| statuses.contains(&answer.status));
                assert!(answer.status < 400 || is_meant, "{step}: {} {}", answer.status, answer.text());
            }
        }
        refused.is_none()
    }
}

impl Known {
    fn note(&mut self, name: &str, answer: &Response) {
        let mut made = answer.json();
        let Value::Object(fields) = &mut made else { return };
        if let Some(etag) = answer.header("etag") {
            fields.insert("etag".to_owned(), json!(etag));
        }
        if let Some(cookie) = answer.header("set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            fields.insert("cookie".to_owned(), json!(pair));
        }
        for (field, value) in fields {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.fields.insert(format!("{name}.{field}"), value);
        }
    }

    /// The text with `${name.field}` and `${name.field|enc}` replaced.
    pub(crate) fn fill_in(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.fields {
            text = text.replace(&format!("${{{name}}}"), value);
            text = text.replace(&format!("${{{name}|enc}}"), &percent_encoded(value));
        }
        assert!(!text.contains("${"), "nothing is known for {text}");
        text
    }

    fn filled_in(&self, step: &Value) -> Value {
        serde_json::from_str(&self.fill_in(&step.to_string())).expect("a step")
    }
}
