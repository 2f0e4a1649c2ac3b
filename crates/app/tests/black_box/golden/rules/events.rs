//! The audit trail.

use serde_json::{Map, Value, json};

use super::{Rule, each_object};
use crate::golden::recordings::Recording as R;

fn is_event(members: &Map<String, Value>) -> bool {
    members.contains_key("preData") && members.contains_key("createdBy")
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "an event says from where, and in words what happened",
        why: "Events: {id, type, createdBy, createdByUserId, createdAt, data, preData, project, environment, featureName, tags, ip, label, summary}; \
              the origin (address, user agent) is recorded",
        to: &[R::Events, R::InitLimits],
        apply: |_, expected| {
            each_object(&mut expected.body, &mut |members| {
                if is_event(members) {
                    let is_ours = members["createdByUserId"] == -1337;
                    members.insert("ip".to_owned(), if is_ours { Value::Null } else { json!("127.0.0.1") });
                    members.insert("userAgent".to_owned(), Value::Null);
                    members.insert("label".to_owned(), json!("<text>"));
                    members.insert("summary".to_owned(), json!("<text>"));
                }
            });
        },
    },
    Rule {
        name: "a token in an event has all its fields but secret and alias",
        why: "Events: \"api-token-created (data = token without secret)\"; an alias authenticates too, so it is a secret; id: what \
              names the token in later events",
        to: &[R::Events, R::InitLimits],
        apply: |_, expected| {
            each_object(&mut expected.body, &mut |members| {
                if !is_event(members) {
                    return;
                }
                for told in ["data", "preData"] {
                    let Some(token) =
                        members[told].as_object_mut().filter(|told| told.contains_key("tokenName"))
                    else {
                        continue;
                    };
                    token.remove("alias");
                    token.insert("id".to_owned(), json!("<token-id>"));
                    token.entry("expiresAt").or_insert(Value::Null);
                    token.entry("seenAt").or_insert(Value::Null);
                }
            });
        },
    },
    Rule {
        name: "the system goes by its own name",
        why: "Events: createdBy names who did it, and this system is Latchkey",
        to: &[R::InitLimits],
        apply: |_, expected| {
            each_object(&mut expected.body, &mut |members| {
                if members.get("createdBy") == Some(&json!("unleash_system_user")) {
                    members.insert("createdBy".to_owned(), json!("latchkey_system_user"));
                }
            });
        },
    },
];
