//! API tokens.

use serde_json::{Value, json};

use super::{Rule, each_object};
use crate::golden::{expected::Expected, recordings::Recording as R};

/// The recordings in which tokens are shown.
const SHOWING_TOKENS: &[R] =
    &[R::Access, R::InitLimits, R::InstanceTokens, R::OpsGeneric, R::ProjectTokens, R::ProjectsEnvironments];

/// Adds a member to every token.
fn add_to_tokens(expected: &mut Expected, member: &str, value: &Value) {
    each_object(&mut expected.body, &mut |members| {
        if members.contains_key("secret") && members.contains_key("tokenName") {
            members.insert(member.to_owned(), value.clone());
        }
    });
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "a created token has all its fields",
        why: "Token object: \"Every field is always present\", so expiresAt and seenAt are there as null",
        to: SHOWING_TOKENS,
        apply: |_, expected| {
            if expected.status == Some(201) && expected.body["tokenName"].is_string() {
                let fields = expected.body.as_object_mut().expect("it has a name");
                fields.entry("expiresAt").or_insert(Value::Null);
                fields.entry("seenAt").or_insert(Value::Null);
            }
        },
    },
    Rule {
        name: "a token says whether its secret can be shown again",
        why: "Token object: secure, as since Unleash 7; false for secrets that can be shown",
        to: SHOWING_TOKENS,
        apply: |_, expected| add_to_tokens(expected, "secure", &json!(false)),
    },
    Rule {
        name: "a token says its id",
        why: "Token object: id, which names a token without its secret",
        to: SHOWING_TOKENS,
        apply: |_, expected| add_to_tokens(expected, "id", &json!("<token-id>")),
    },
    Rule {
        name: "a valid token's environment is told",
        why: "Use of a token: 200 {\"tokens\": [{\"token\", \"type\", \"projects\", \"environment\"}…]}",
        to: &[R::TokenUse],
        apply: |_, expected| {
            each_object(&mut expected.body, &mut |members| {
                let Some(token) = members.get("token").and_then(Value::as_str) else { return };
                let named = token.strip_suffix('>').and_then(|secret| secret.rsplit(':').next());
                let environment =
                    if members["type"] == "admin" { "*" } else { named.unwrap_or("development") };
                let environment = json!(environment);
                members.insert("environment".to_owned(), environment);
            });
        },
    },
];
