//! Cases about users.

use serde_json::json;

use super::{Difference, Instead, row};

const PICTURE_OF_ADMIN: &str = "https://gravatar.com/avatar/8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918?s=42&d=retro&r=g";
const PICTURE_OF_U1: &str = "https://gravatar.com/avatar/bb82030dbc2bcaba32a90bf2e207a84a856fc5f033b77c480836ab6f77f40f19?s=42&d=retro&r=g";

pub(super) const DIFFERENCES: &[Difference] = &[
    row(
        "create: weak password accepted",
        Instead::Problems(&["/body/password"]),
        "Differences from Unleash: no password check on creation / the same rules everywhere",
    ),
    row("create: name number coerced", Instead::Problems(&["/body/name"]), "numbers where strings belong"),
    row(
        "create: unknown role id leaves the user behind",
        Instead::Body(|| {
            json!({
                "users": [{
                    "id": 1,
                    "name": null,
                    "username": "admin",
                    "email": null,
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
        Instead::Body(|| {
            json!([{
                "id": "<int>",
                "name": null,
                "username": "u1",
                "email": null,
                "imageUrl": PICTURE_OF_U1,
                "accountType": "User",
            }])
        }),
        "People, user-admin: ADMIN; those who are not see of a user what they need to choose members by, and no more",
    ),
];
