//! Errors, and the headers of every response.

use serde_json::json;

use super::Rule;
use crate::golden::{expected::Expected, recordings::Recording as R};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "a missing permission is a NoAccessError",
        why: "Error object: \"403 for a missing permission: NoAccessError, message in the form of Unleash\"",
        to: &[R::Access, R::InstanceTokens, R::ProjectTokens, R::ProjectsEnvironments],
        apply: |_, expected| {
            if expected.body["name"] == "PermissionError" {
                expected.body["name"] = json!("NoAccessError");
            }
        },
    },
    Rule {
        name: "no defaultHidden",
        why: "Error object: a 401 has path and type, nothing else beside the common members",
        to: &[
            R::AuthWhoami,
            R::Events,
            R::InstanceTokens,
            R::OpsGeneric,
            R::PersonalTokens,
            R::ProjectTokens,
            R::ProjectsEnvironments,
            R::Users,
        ],
        apply: |_, expected| {
            if let Some(fields) = expected.body.as_object_mut() {
                fields.remove("defaultHidden");
            }
        },
    },
    Rule {
        name: "every error is the error object",
        why: "Differences from Unleash: \"malformed JSON, wrong token type, 404 on delete: a body of another shape, or none\"",
        to: &[
            R::Access,
            R::AuthWhoami,
            R::InitLimits,
            R::InstanceTokens,
            R::OpsGeneric,
            R::ProjectTokens,
            R::TokenUse,
        ],
        apply: |case, expected| {
            let kind = match expected.status {
                Some(400) => "BadDataError",
                Some(401) if case.is_authorized() => "UnauthorizedError",
                Some(401) => "AuthenticationRequired",
                Some(403) => "NoAccessError",
                Some(404) => "NotFoundError",
                Some(413) => "PayloadTooLargeError",
                Some(415) => "ContentTypeError",
                Some(429) => "RateLimitError",
                _ => return,
            };
            if expected.body.get("name").is_none() {
                *expected = Expected::error(expected.status.unwrap_or_default(), kind);
            }
        },
    },
    Rule {
        name: "what is wrong with a body is said once",
        why: "Error object: details say what is wrong, each with its path, not once more for every form a body may have",
        to: &[R::Access, R::InitLimits, R::InstanceTokens, R::PersonalTokens, R::ProjectTokens, R::Users],
        apply: |_, expected| {
            if expected.body["name"] == "BadDataError" && expected.body["details"].is_array() {
                let details = expected.body["details"].as_array().into_iter().flatten();
                let paths: Vec<&str> = details.filter_map(|problem| problem["path"].as_str()).collect();
                expected.body["details"] = json!(format!("<problems:{}>", paths.join(",")));
            }
        },
    },
    Rule {
        name: "a weak password is a BadDataError",
        why: "Error object: its list of kinds; People, change-password: \"400 with the rules not met\"",
        to: &[R::AuthWhoami, R::Users],
        apply: |_, expected| {
            if expected.body["name"] == "OwaspValidationError" {
                *expected = Expected::problems(&["/body/password"]);
            }
        },
    },
    Rule {
        name: "no counts of what is left of a limit",
        why: "Error object: RateLimitError 429 (with Retry-After), and no other header of limits",
        to: &[R::AuthWhoami, R::InitLimits, R::Users],
        apply: |_, expected| expected.headers.retain(|name, _| !name.starts_with("ratelimit-")),
    },
    Rule {
        name: "the content type is application/json",
        why: "Error object: \"content-type: application/json\"; JSON has no charset",
        to: R::ALL,
        apply: |_, expected| {
            if let Some(kind) = expected.headers.get_mut("content-type")
                && *kind == "application/json; charset=utf-8"
            {
                *kind = json!("application/json");
            }
        },
    },
];
