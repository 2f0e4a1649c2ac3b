//! `/api/admin/user`

mod change_password;
mod me;
mod profile;
mod roles;
mod sessions;

const ME: &str = "/api/admin/user";
