//! Cases about what roles in projects allow.

use super::{Difference, Instead, MANY_PROJECTS, created_x, row};

const EDITORS: &str = "Access: Editor (CREATE/READ/DELETE_PROJECT_API_TOKEN in every project, …)";

pub(super) const DIFFERENCES: &[Difference] = &[
    row("Editor: other project", Instead::EmptyList, EDITORS),
    row("Editor: create in other project", created_x("p2"), EDITORS),
    row("Admin: other project, single project edition", Instead::EmptyList, MANY_PROJECTS),
    row("Member on single project edition can not reach p2", Instead::EmptyList, MANY_PROJECTS),
];
