//! `/api/admin/user/tokens`

mod create;
mod delete;
mod list;

const PATS: &str = "/api/admin/user/tokens";
