//! Users and sessions.

use serde_json::{Value, json};

use super::{Rule, each_object};
use crate::golden::{
    installation::{COOKIE, UNLEASH_COOKIE},
    recordings::Recording as R,
};

/// Permissions for feature flags, which Latchkey does not have.
const OF_FEATURES: &[&str] = &[
    "CREATE_FEATURE",
    "CREATE_FEATURE_STRATEGY",
    "DELETE_FEATURE",
    "DELETE_FEATURE_STRATEGY",
    "MOVE_FEATURE_TOGGLE",
    "UPDATE_FEATURE",
    "UPDATE_FEATURE_DEPENDENCY",
    "UPDATE_FEATURE_ENVIRONMENT",
    "UPDATE_FEATURE_ENVIRONMENT_VARIANTS",
    "UPDATE_FEATURE_STRATEGY",
    "UPDATE_FEATURE_VARIANTS",
];

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "a user has a root role and no SCIM id wherever users are shown",
        why: "People: user: {isAPI, accountType, id, name?, username?, email?, imageUrl, seenAt, loginAttempts, createdAt, scimId, rootRole}",
        to: &[R::AuthWhoami, R::PersonalTokens, R::Users],
        apply: |_, expected| {
            each_object(&mut expected.body, &mut |members| {
                if members.get("isAPI") == Some(&json!(false)) {
                    members.entry("scimId").or_insert(Value::Null);
                    members.entry("rootRole").or_insert(json!("<int>"));
                }
            });
        },
    },
    Rule {
        name: "a user with a session was seen",
        why: "People, GET /api/admin/user: the user is the one of this moment, no copy made before the sign-in was written",
        to: &[R::AuthWhoami, R::PersonalTokens],
        apply: |case, expected| {
            if case.asks("GET", "/api/admin/user") && expected.body["user"]["isAPI"] == false {
                expected.body["user"]["seenAt"] = json!("<rfc3339>");
            }
        },
    },
    Rule {
        name: "sessions are counted where one begins",
        why: "People, GET /api/admin/user: the user; how many sessions ended for another is the answer to a sign-in",
        to: &[R::AuthWhoami, R::PersonalTokens],
        apply: |case, expected| {
            if case.asks("GET", "/api/admin/user")
                && let Some(user) = expected.body.get_mut("user").and_then(Value::as_object_mut)
            {
                user.remove("deletedSessions");
                user.remove("activeSessions");
            }
        },
    },
    Rule {
        name: "a token is not shown its own secret",
        why: "a recording marked peerBug is not binding, and this one echoes the secret; the Token object \
              shows secrets in lists and where they are made",
        to: &[R::AuthWhoami, R::InitLimits, R::TokenUse],
        apply: |case, expected| {
            if case.asks("GET", "/api/admin/user")
                && let Some(user) = expected.body.get_mut("user").and_then(Value::as_object_mut)
            {
                user.remove("secret");
            }
        },
    },
    Rule {
        name: "no invitation",
        why: "People, POST user-admin: there are no invitations here, so inviteLink is always empty",
        to: &[R::Users],
        apply: |_, expected| {
            each_object(&mut expected.body, &mut |members| {
                if let Some(link) = members.get_mut("inviteLink") {
                    *link = json!("");
                }
            });
        },
    },
    Rule {
        name: "roles are described in other words",
        why: "the wording of human-readable texts is not part of the wire contract",
        to: &[R::AuthWhoami, R::Users],
        apply: |_, expected| {
            each_object(&mut expected.body, &mut |members| {
                if members.get("type") == Some(&json!("root"))
                    && let Some(description) = members.get_mut("description")
                {
                    *description = json!("<text>");
                }
            });
        },
    },
    Rule {
        name: "no permissions of feature flags",
        why: "Access: the permissions of project roles are READ/CREATE/DELETE_PROJECT_API_TOKEN, UPDATE_PROJECT, DELETE_PROJECT",
        to: &[R::AuthWhoami],
        apply: |case, expected| {
            if case.asks("GET", "/api/admin/user")
                && let Some(permissions) = expected.body.get_mut("permissions").and_then(Value::as_array_mut)
            {
                permissions.retain(|held| {
                    !held["permission"].as_str().is_some_and(|name| OF_FEATURES.contains(&name))
                });
            }
        },
    },
    Rule {
        name: "the cookie has another name",
        why: "server-side sessions, cookie HttpOnly, SameSite=Lax; its name is an implementation's own",
        to: &[R::AuthWhoami],
        apply: |_, expected| {
            if let Some(cookie) = expected.headers.get_mut("set-cookie") {
                let named = cookie.as_str().map(|text| text.replace(UNLEASH_COOKIE, COOKIE));
                *cookie = json!(named.expect("a text"));
            }
        },
    },
];
