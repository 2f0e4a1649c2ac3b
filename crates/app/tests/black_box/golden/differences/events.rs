//! Cases about the audit trail.

use serde_json::{Value, json};

use super::{DEFAULT_ENVIRONMENT, Difference, Instead, row};
use crate::golden::expected::Expected;

const OWN_PROJECT: &str =
    "Events: `api-token-updated` (data and preData); peerBug: Unleash names `*` for every token";
const SIGN_IN: &str = "every mutation leaves exactly one event: a sign-in begins a session";

pub(super) const DIFFERENCES: &[Difference] = &[
    row("created: user", Instead::Edited(append_sign_in), SIGN_IN),
    row(
        "created: legacy username field",
        Instead::Edited(|expected| {
            let event = &mut expected.body["events"][0];
            event["environment"] = json!("development");
            event["data"]["environment"] = json!("development");
        }),
        DEFAULT_ENVIRONMENT,
    ),
    row(
        "updated",
        Instead::Edited(|expected| name_own_project(&mut expected.body["events"][0])),
        OWN_PROJECT,
    ),
    row(
        "search: token events have label and summary",
        Instead::Edited(|expected| name_own_project(&mut expected.body["events"][1])),
        OWN_PROJECT,
    ),
    row(
        "PAT created and deleted",
        Instead::Edited(|expected| {
            let token = json!({ "userId": 1, "description": "ci", "expiresAt": "2030-01-01T00:00:00.000Z", "id": "<int>" });
            let deleted = &mut expected.body["events"][0];
            deleted["data"] = Value::Null;
            deleted["preData"] = token.clone();
            deleted["preData"]["createdAt"] = json!("<rfc3339>");
            deleted["preData"]["seenAt"] = Value::Null;
            expected.body["events"][1]["data"] = token;
            append_sign_in(expected);
        }),
        "an event says what was before and what is after; what is deleted was before, and no secret is told of",
    ),
    row(
        "events: limit is not supported",
        Instead::Edited(|expected| {
            expected.body["events"].as_array_mut().expect("a list").truncate(1);
        }),
        "Events: GET `/api/admin/events?limit&offset`",
    ),
];

/// The event is about its token's one project.
fn name_own_project(event: &mut Value) {
    event["project"] = json!("default");
    event["data"]["project"] = json!("default");
    event["data"]["projects"] = json!(["default"]);
}

/// The oldest event is the sign-in that the case begins with.
fn append_sign_in(expected: &mut Expected) {
    let events = expected.body["events"].as_array_mut().expect("a list");
    events.push(json!({
        "id": "<int>",
        "type": "session-started",
        "createdBy": "admin",
        "createdByUserId": 1,
        "createdAt": "<rfc3339>",
        "data": { "id": "<uuid>", "userId": 1, "createdAt": "<rfc3339>", "expiresAt": "<rfc3339>" },
        "preData": null,
        "project": null,
        "environment": null,
        "featureName": null,
        "tags": [],
        "ip": "127.0.0.1",
        "userAgent": null,
        "label": "<text>",
        "summary": "<text>",
    }));
    expected.body["totalEvents"] = json!(events.len());
}
