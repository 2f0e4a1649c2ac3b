//! What an answer is held against.

use serde_json::{Map, Value, json};

use crate::{
    golden::{Case, shape::fits},
    wire::Answer,
};

/// An answer's recorded shape.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    /// `None` where the reference never answered: nothing is like that.
    pub(crate) status: Option<u64>,
    pub(crate) headers: Map<String, Value>,
    pub(crate) body: Value,
    unordered: Vec<String>,
}

impl Expected {
    /// What the reference answered.
    pub(crate) fn recorded(case: &Case) -> Self {
        let response = &case.response;
        let unordered = response["unordered"].as_array().into_iter().flatten();
        Self {
            status: response["status"].as_u64(),
            headers: response["headers"].as_object().cloned().unwrap_or_default(),
            body: response["body"].clone(),
            unordered: unordered.filter_map(|name| name.as_str().map(str::to_owned)).collect(),
        }
    }

    pub(crate) fn new(status: u64, content_type: Option<&str>, body: Value) -> Self {
        let headers = content_type.map(|kind| ("content-type".to_owned(), json!(kind)));
        Self { status: Some(status), headers: headers.into_iter().collect(), body, unordered: Vec::new() }
    }

    /// The contract's error object.
    pub(crate) fn error(status: u64, kind: &str) -> Self {
        let body = json!({
            "id": "<uuid>",
            "name": kind,
            "message": "<text>",
            "details": "<problems:>",
        });
        Self::new(status, Some("application/json"), body)
    }

    /// Where the answer departs from this.
    pub(crate) fn departure(&self, answer: &Answer) -> Result<(), String> {
        if self.status != Some(answer.status.into()) {
            let status = self.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
            return Err(format!("status {}, not {status}: {}", answer.status, answer.text()));
        }
        for (name, value) in &self.headers {
            if answer.header(name) != value.as_str() {
                return Err(format!("header {name}: {:?}, not {value}", answer.header(name)));
            }
        }
        let is_text = self.headers.get("content-type").is_some_and(|kind| !kind.to_string().contains("json"));
        let body = if is_text { json!(answer.text()) } else { answer.json() };
        fits(&self.body, &body, &self.unordered, "")
            .map_err(|departure| format!("{departure} in {}", answer.text()))
    }
}
