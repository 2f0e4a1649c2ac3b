//! Cases about tokens of any scope.

use serde_json::json;

use super::{DEFAULT_ENVIRONMENT, Difference, EVERY_PROBLEM, Instead, MANY_PROJECTS, NOT_ALLOWED, row};

pub(super) const DIFFERENCES: &[Difference] = &[
    row(
        "create: projects empty",
        Instead::Problems(&["/body/projects"]),
        "Instance tokens, POST: 400 for `projects: []` (which Unleash turns into all projects)",
    ),
    row(
        "create: username",
        Instead::Edited(|expected| {
            expected.body["environment"] = json!("development");
            expected.body["secret"] = json!("<secret:*:development>");
        }),
        DEFAULT_ENVIRONMENT,
    ),
    row("create: empty object", Instead::Problems(&["/body/type", "/body/tokenName"]), EVERY_PROBLEM),
    row(
        "create: admin user, project p2, single project edition",
        Instead::Created { name: "i1", project: "p2", environment: "development", expires_at: "null" },
        MANY_PROJECTS,
    ),
    row("update: leap second", Instead::Problems(&["/body/expiresAt"]), LEAP_SECOND),
    row("update: hours-only offset", Instead::Problems(&["/body/expiresAt"]), LEAP_SECOND),
    row(
        "by name: OPTIONS",
        Instead::Edited(|expected| {
            let allow = json!("GET,HEAD,PUT,PATCH,DELETE");
            expected.headers.insert("allow".to_owned(), allow.clone());
            expected.body = allow;
        }),
        MERGE_PATCH,
    ),
    row("delete: collection not routed", Instead::Error(405, "MethodNotAllowedError"), NOT_ALLOWED),
];

const MERGE_PATCH: &str = "Differences from Unleash: tokens have no description, and no PATCH / both";
const LEAP_SECOND: &str = "Differences from Unleash: a leap second, a moment that is none: 500, some with SQL text / 400 BadDataError";
