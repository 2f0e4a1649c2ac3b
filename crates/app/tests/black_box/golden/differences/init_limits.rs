//! Cases about start-up tokens and limits.

use super::{Difference, created_x, row};

pub(super) const DIFFERENCES: &[Difference] = &[row(
    "limit: exceeded on the project endpoint",
    created_x("default"),
    "`limits.api_tokens`, default 2,000 per project: tokens for all projects fill no project's share",
)];
