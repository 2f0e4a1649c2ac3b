//! `/api/admin/user-admin`

mod access;
mod admin_count;
mod change_password;
mod create;
mod delete;
mod get;
mod list;
mod permissions;
mod search;
mod update;
mod validate_password;

use latchkey_testkit::app::NOW;
use serde_json::{Value, json};

const USERS: &str = "/api/admin/user-admin";
const UNKNOWN_ID: i64 = 9_999;

/// Returns the JSON of a user whose e-mail address is the user name in lower case at `example.com`, with the members that
/// every route shows.
fn user_json(id: i64, username: &str, root_role: i64, image: &Value) -> Value {
    json!({
        "isAPI": false,
        "accountType": "User",
        "id": id,
        "username": username,
        "email": format!("{}@example.com", username.to_lowercase()),
        "imageUrl": image,
        "seenAt": null,
        "loginAttempts": 0,
        "createdAt": NOW,
        "scimId": null,
        "rootRole": root_role,
    })
}

/// The path of a user.
fn path_of(id: i64) -> String {
    format!("{USERS}/{id}")
}
