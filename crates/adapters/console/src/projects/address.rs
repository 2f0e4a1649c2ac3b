//! Where projects are.

use latchkey_domain::ProjectId;
use latchkey_http::pages::{ApiError, PathParameters};

use crate::paths::escaped;

pub(super) const LIST: &str = path!("projects");

/// Returns where the page of a project is.
pub(super) fn root(project: &ProjectId) -> String {
    format!("{LIST}/{}", escaped(project.as_str()))
}

/// Returns the id that the path names, which may be that of no project.
pub(super) fn id(path: &PathParameters) -> Result<String, ApiError> {
    path.text("projectId")
}
