//! Cases about signing in and the current user.

use serde_json::{Value, json};

use super::{Difference, EVERY_PROBLEM, Instead, NOT_FREE, row};

const NO_REPORTS: &str = "Users and projects: Latchkey sends no reports, so there is none to subscribe to";

pub(super) const DIFFERENCES: &[Difference] = &[
    row("login: empty object", Instead::Problems(&["/body/username", "/body/password"]), EVERY_PROBLEM),
    row(
        "profile: session",
        Instead::Edited(|expected| expected.body["subscriptions"] = json!([])),
        NO_REPORTS,
    ),
    row(
        "profile: viewer",
        Instead::Edited(|expected| expected.body["subscriptions"] = json!([])),
        NO_REPORTS,
    ),
    row("permissions list is not an open source endpoint", Instead::Body(permissions), NOT_FREE),
    row(
        "logout: GET gives the web page and does not log out",
        Instead::Done,
        "People, /logout: GET, POST: 302 to `/` for a browser, 200 otherwise; ends the session",
    ),
    row(
        "logout: PAT ends all sessions of its user",
        Instead::Body(|| {
            json!({
                "user": {
                    "isAPI": false,
                    "accountType": "User",
                    "id": 1,
                    "username": "admin",
                    "imageUrl": "https://gravatar.com/avatar/8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918?s=42&d=retro&r=g",
                    "seenAt": "<rfc3339>",
                    "loginAttempts": 0,
                    "createdAt": "<rfc3339>",
                    "scimId": null,
                    "rootRole": 1,
                },
                "permissions": [{ "permission": "ADMIN" }],
                "feedback": [],
                "splash": {},
            })
        }),
        "People, /logout: ends the session: that of the caller, and a personal access token is none",
    ),
    row(
        "profile change is not seen by a running session",
        Instead::Edited(|expected| expected.body["user"]["name"] = json!("Changed")),
        "People, GET /api/admin/user: the user, not a copy of the user that a session made",
    ),
];

fn permissions() -> Value {
    let of = |kind: &str, permissions: &[(u32, &str)]| {
        let entry = |(id, name): &(u32, &str)| json!({ "id": id, "name": name, "displayName": "<text>", "type": kind });
        permissions.iter().map(entry).collect::<Value>()
    };
    let root = [
        (1, "ADMIN"),
        (53, "READ_CLIENT_API_TOKEN"),
        (50, "CREATE_CLIENT_API_TOKEN"),
        (51, "UPDATE_CLIENT_API_TOKEN"),
        (52, "DELETE_CLIENT_API_TOKEN"),
        (57, "READ_FRONTEND_API_TOKEN"),
        (54, "CREATE_FRONTEND_API_TOKEN"),
        (55, "UPDATE_FRONTEND_API_TOKEN"),
        (56, "DELETE_FRONTEND_API_TOKEN"),
        (12, "CREATE_PROJECT"),
    ];
    let project = [
        (42, "READ_PROJECT_API_TOKEN"),
        (43, "CREATE_PROJECT_API_TOKEN"),
        (44, "DELETE_PROJECT_API_TOKEN"),
        (13, "UPDATE_PROJECT"),
        (14, "DELETE_PROJECT"),
    ];
    let none_of = |name: &str| json!({ "name": name, "permissions": [] });
    let environments: Value = ["default", "development", "production"].into_iter().map(none_of).collect();
    json!({
        "version": 1,
        "permissions": { "root": of("root", &root), "project": of("project", &project), "environments": environments },
    })
}
