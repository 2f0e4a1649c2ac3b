//! Cases about users.

use serde_json::json;

use super::{Difference, Instead, row};

const PICTURE_OF_ADMIN: &str = "https://gravatar.com/avatar/8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918?s=42&d=retro&r=g";

pub(super) const DIFFERENCES: &[Difference] = &[
    row(
        "create: weak password accepted",
        Instead::Problems(&["/body/password"]),
        "Differences from Unleash: no password check on creation / the same rules everywhere",
    ),
    row(
        "create: unknown role id leaves the user behind",
        Instead::Body(|| {
            json!({
                "users": [{
                    "id": 1,
                    "username": "admin",
                    "imageUrl": PICTURE_OF_ADMIN,
                    "accountType": "User",
                }],
                "groups": [],
            })
        }),
        "Differences from Unleash: creating a user with an unknown role leaves the user behind / one atom",
    ),
    row(
        "update: role by name",
        Instead::Edited(|expected| expected.body["rootRole"] = json!(2)),
        "People: ids of roles are integers on the wire",
    ),
    row(
        "search: any logged in user may",
        Instead::Edited(|expected| {
            expected.body[0]["loginAttempts"] = json!(0);
            expected.body[0]["createdAt"] = json!("<rfc3339>");
        }),
        "People, user-admin/search: a list of users, with all their members",
    ),
    row(
        "user permissions overview",
        Instead::Edited(|expected| {
            let overview = &mut expected.body["overview"];
            for kind in ["root", "project"] {
                let permissions = overview[kind].as_array_mut().expect("a list");
                permissions.retain(|one| one["name"].as_str().is_some_and(is_known));
                for permission in permissions {
                    permission["displayName"] = json!("<text>");
                }
            }
            overview["environment"] = json!([]);
        }),
        "Roles and permissions: those of tokens, projects and the instance; none of them is for one environment",
    ),
];

/// Whether Latchkey has the permission.
fn is_known(name: &str) -> bool {
    name.ends_with("_API_TOKEN")
        || ["ADMIN", "CREATE_PROJECT", "UPDATE_PROJECT", "DELETE_PROJECT"].contains(&name)
}
