//! Expected responses.

use latchkey_testkit::raw_http::Response;
use serde_json::{Map, Value, json};

use crate::golden::{Case, placeholders::text_fits, shape::fits};

/// The expected form of a response.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    /// `None` if Unleash never responded: no response matches.
    pub(crate) status: Option<u64>,
    pub(crate) headers: Map<String, Value>,
    pub(crate) body: Value,
    unordered: Vec<String>,
}

impl Expected {
    /// Returns the recorded response of Unleash.
    pub(crate) fn recorded(case: &Case) -> Self {
        let response = &case.response;
        let unordered = response["unordered"].as_array().into_iter().flatten();
        let mut headers = response["headers"].as_object().cloned().unwrap_or_default();
        if let Some(length) = response.get("contentLength") {
            headers.insert("content-length".to_owned(), length.clone());
        }
        Self {
            status: response["status"].as_u64(),
            headers,
            body: response["body"].clone(),
            unordered: unordered.filter_map(|name| name.as_str().map(str::to_owned)).collect(),
        }
    }

    pub(crate) fn new(status: u64, content_type: Option<&str>, body: Value) -> Self {
        let headers = content_type.map(|kind| ("content-type".to_owned(), json!(kind)));
        Self { status: Some(status), headers: headers.into_iter().collect(), body, unordered: Vec::new() }
    }

    /// Returns the error object.
    pub(crate) fn error(status: u64, kind: &str) -> Self {
        let body = json!({
            "id": "<uuid>",
            "name": kind,
            "message": "<text>",
            "details": "<problems:>",
        });
        let mut expected = Self::new(status, Some("application/json"), body);
        if kind == "AuthenticationRequired" {
            expected.body["path"] = json!("/auth/simple/login");
            expected.body["type"] = json!("password");
        }
        let header = match status {
            405 => Some(("allow", "<methods>")),
            429 => Some(("retry-after", "<int>")),
            _ => None,
        };
        expected.headers.extend(header.map(|(name, value)| (name.to_owned(), json!(value))));
        expected
    }

    /// Returns the error object for a body with problems at these members and no others.
    pub(crate) fn problems(paths: &[&str]) -> Self {
        let mut expected = Self::error(400, "BadDataError");
        expected.body["details"] = json!(format!("<problems:{}>", paths.join(",")));
        expected
    }

    /// Succeeds if the response matches; the error names the first difference.
    pub(crate) fn departure(&self, answer: &Response) -> Result<(), String> {
        if self.status != Some(answer.status.into()) {
            let status = self.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
            return Err(format!("status {}, not {status}: {}", answer.status, answer.text()));
        }
        for (name, value) in &self.headers {
            let pattern = value.as_str().expect("a header is a text");
            if !answer.header(name).is_some_and(|sent| header_fits(name, pattern, sent)) {
                return Err(format!("header {name}: {:?}, not {value}", answer.header(name)));
            }
        }
        let is_text = self.headers.get("content-type").is_some_and(|kind| !kind.to_string().contains("json"));
        let body = if is_text { json!(answer.text()) } else { answer.json() };
        fits(&self.body, &body, &self.unordered, "")
            .map_err(|departure| format!("{departure} in {}", answer.text()))
    }
}

/// Compares a header. The attributes of a cookie may come in any order (RFC 6265, section 5.2).
fn header_fits(name: &str, pattern: &str, sent: &str) -> bool {
    if name != "set-cookie" {
        return text_fits(pattern, sent);
    }
    let parts = |text: &str| text.split("; ").map(str::to_owned).collect::<Vec<_>>();
    let (patterns, mut left) = (parts(pattern), parts(sent));
    // The first part is the cookie itself.
    patterns.len() == left.len()
        && text_fits(&patterns[0], &left.remove(0))
        && patterns[1..].iter().all(|pattern| {
            let found = left.iter().position(|part| text_fits(pattern, part));
            found.map(|index| left.remove(index)).is_some()
        })
}
