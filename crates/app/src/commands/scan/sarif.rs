//! The findings in SARIF 2.1.0, the format in which code hosts take the findings of tools.

use latchkey_domain::SecretForm;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{
    finding::{Finding, STANDARD_INPUT},
    report::{id, title},
    verify::Statuses,
};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// What is escaped in a path that is a URI reference (RFC 3986): a path is text with slashes.
const NOT_IN_PATHS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');
const FORMS: [SecretForm; 4] =
    [SecretForm::ApiToken, SecretForm::PersonalToken, SecretForm::Session, SecretForm::UnleashV2];

/// Returns the log of one run.
pub(super) fn log(findings: &[Finding], statuses: &Statuses) -> Value {
    let rules = FORMS.map(|form| {
        json!({
            "id": id(form),
            "shortDescription": {"text": format!("A secret of Latchkey: {}", title(form))},
            "help": {"text": "Rotate or delete the token, or end the session; then remove the secret from here."},
            "defaultConfiguration": {"level": "error"},
        })
    });
    let driver = json!({"name": "latchkey", "version": env!("CARGO_PKG_VERSION"), "rules": rules});
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, statuses)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}],
    })
}

fn result(finding: &Finding, statuses: &Statuses) -> Value {
    let Finding { path, commit, line, form, secret, sha256 } = finding;
    let status = statuses.of(finding);
    let said = match status {
        None => String::new(),
        Some(status) if status.live => format!(", which is valid: {status}"),
        Some(_) => ", which is not valid".to_owned(),
    };
    let text = format!("{} {} is here{said}.", title(*form), secret.masked());
    // A secret that is refused is no danger any more.
    let level = if status.is_some_and(|status| !status.live) { "note" } else { "error" };
    let mut properties = Map::new();
    properties.extend(commit.as_ref().map(|commit| ("commit".to_owned(), json!(commit))));
    properties.extend(status.map(|status| ("status".to_owned(), json!(status))));
    let mut result = json!({
        "ruleId": id(*form),
        "level": level,
        "message": {"text": text},
        "partialFingerprints": {"secretSha256/v1": sha256},
        "properties": properties,
    });
    // The message of a commit is in no file.
    let file = path.as_deref().filter(|path| *path != STANDARD_INPUT);
    if let (Some(file), Some(members)) = (file, result.as_object_mut()) {
        let uri = utf8_percent_encode(file, NOT_IN_PATHS).to_string();
        let uri = if file.starts_with('/') { format!("file://{uri}") } else { uri };
        let place = json!({"artifactLocation": {"uri": uri}, "region": {"startLine": line}});
        members.insert("locations".to_owned(), json!([{"physicalLocation": place}]));
    }
    result
}
