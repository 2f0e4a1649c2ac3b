//! `/api/admin/environments`

mod create;
mod delete;
mod get;
mod list;
mod of_project;
mod sort_order;
mod switch;
mod update;

const ENVIRONMENTS: &str = "/api/admin/environments";
const DEVELOPMENT: &str = "/api/admin/environments/development";
