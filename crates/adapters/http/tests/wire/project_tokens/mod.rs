//! `/api/admin/projects/{projectId}/api-tokens`

mod create;
mod delete;
mod get;
mod list;
