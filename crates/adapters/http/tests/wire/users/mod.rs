//! `/api/admin/user-admin`

mod access;
mod admin_count;
mod change_password;
mod create;
mod delete;
mod get;
mod list;
mod search;
mod update;
mod validate_password;

const USERS: &str = "/api/admin/user-admin";
const UNKNOWN_ID: i64 = 9_999;

/// The path of a user.
fn path_of(id: i64) -> String {
    format!("{USERS}/{id}")
}
