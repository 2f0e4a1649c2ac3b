//! Projects and environments.

use serde_json::{Value, json};

use super::{Rule, each_object};
use crate::golden::recordings::Recording as R;

/// Members of a project in Unleash that are about its feature flags and favorites.
const OF_FLAGS_IN_PROJECTS: &[&str] = &[
    "health",
    "featureCount",
    "favorite",
    "lastReportedFlagUsage",
    "lastUpdatedAt",
    "owners",
    "stats",
    "featureLimit",
    "featureNaming",
    "defaultStickiness",
    "onboardingStatus",
    "features",
    "featureTypeCounts",
];

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "a project is its members and tokens, not its feature flags",
        why: "People, GET projects: {id, name, description, createdAt, updatedAt, archivedAt, mode, memberCount, apiTokenCount}",
        to: &[R::ProjectsEnvironments],
        apply: |_, expected| {
            each_object(&mut expected.body, &mut |members| {
                if !(members.contains_key("mode") && members.contains_key("health")) {
                    return;
                }
                members.retain(|name, _| !OF_FLAGS_IN_PROJECTS.contains(&name.as_str()));
                members.entry("id").or_insert(json!("default"));
                members.entry("updatedAt").or_insert(json!("<rfc3339>"));
                members.entry("archivedAt").or_insert(Value::Null);
                let count = members.get("members").cloned().unwrap_or(json!(0));
                members.entry("memberCount").or_insert(count);
                members.entry("apiTokenCount").or_insert(json!(0));
            });
        },
    },
    Rule {
        name: "an environment is its projects and tokens, not its feature flags",
        why: "People, GET environments: {name, type, sortOrder, enabled, protected, requiredApprovals, projectCount, apiTokenCount}",
        to: &[R::Access, R::ProjectsEnvironments],
        apply: |_, expected| {
            each_object(&mut expected.body, &mut |members| {
                if members.contains_key("sortOrder") {
                    members.remove("enabledToggleCount");
                    members.remove("projectEnabledToggleCount");
                }
            });
        },
    },
    Rule {
        name: "no environment is protected",
        why: "People, environments: DELETE …/{name}; the one that Unleash protects does not exist here",
        to: &[R::Access, R::ProjectsEnvironments],
        apply: |_, expected| {
            each_object(&mut expected.body, &mut |members| {
                if let Some(protected) = members.get_mut("protected") {
                    *protected = json!(false);
                }
            });
        },
    },
];
