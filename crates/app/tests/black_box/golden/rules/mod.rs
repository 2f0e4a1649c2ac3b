//! Where Latchkey differs from the reference in one and the same way in many answers.

use serde_json::{Value, json};

use crate::golden::expected::Expected;

/// A difference that holds for every answer that it applies to.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    /// The row of the contract that asks for it.
    pub(crate) why: &'static str,
    /// Turns what the reference answered into what Latchkey does.
    pub(crate) apply: fn(&mut Expected),
}

pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "a missing permission is a NoAccessError",
        why: "Error object: \"403 for a missing permission: NoAccessError, message in the seed's form\"",
        apply: |expected| {
            if expected.body["name"] == "PermissionError" {
                expected.body["name"] = json!("NoAccessError");
            }
        },
    },
    Rule {
        name: "no defaultHidden",
        why: "Error object: a 401 has path and type, nothing else beside the common members",
        apply: |expected| {
            if let Some(fields) = expected.body.as_object_mut() {
                fields.remove("defaultHidden");
            }
        },
    },
    Rule {
        name: "a created token has all its fields",
        why: "Token object: \"Every field is always present\", so expiresAt and seenAt are there as null",
        apply: |expected| {
            if expected.status == Some(201) && expected.body["secret"].is_string() {
                let fields = expected.body.as_object_mut().expect("it has a secret");
                fields.entry("expiresAt").or_insert(Value::Null);
                fields.entry("seenAt").or_insert(Value::Null);
            }
        },
    },
    Rule {
        name: "every error is the error object",
        why: "Where we differ: \"malformed JSON, wrong token type, 404 on delete: a body of another shape, or none\"",
        apply: |expected| {
            let is_other = expected.body.is_null() || expected.body.get("name").is_none();
            let kind = match expected.status {
                Some(400) => "BadDataError",
                Some(403) => "NoAccessError",
                Some(404) => "NotFoundError",
                _ => return,
            };
            if is_other {
                *expected = Expected::error(expected.status.unwrap_or_default(), kind);
            }
        },
    },
    Rule {
        name: "what is wrong with a body is said once",
        why: "Error object: details say what is wrong, each with its path, not once more for every form a body may have",
        apply: |expected| {
            if expected.body["name"] == "BadDataError" && expected.body["details"].is_array() {
                let details = expected.body["details"].as_array().into_iter().flatten();
                let paths: Vec<&str> = details.filter_map(|problem| problem["path"].as_str()).collect();
                expected.body["details"] = json!(format!("<problems:{}>", paths.join(",")));
            }
        },
    },
    Rule {
        name: "the content type is application/json",
        why: "Error object: \"content-type: application/json\"; JSON has no charset",
        apply: |expected| {
            if let Some(kind) = expected.headers.get_mut("content-type")
                && *kind == "application/json; charset=utf-8"
            {
                *kind = json!("application/json");
            }
        },
    },
];

/// What the reference answered, with all rules applied but those left out by name.
pub(crate) fn with_rules_but(recorded: &Expected, left_out: Option<&str>) -> Expected {
    let mut expected = recorded.clone();
    for rule in RULES.iter().filter(|rule| Some(rule.name) != left_out) {
        (rule.apply)(&mut expected);
    }
    expected
}
