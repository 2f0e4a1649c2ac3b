//! Cases about personal access tokens.

use super::{Difference, EVERY_PROBLEM, Instead, row};

const NEEDS_A_USER: &str = "People, user/tokens: needs a user: an API token gets 403";

pub(super) const DIFFERENCES: &[Difference] = &[
    row("list: admin api token", Instead::Error(403, "OperationDeniedError"), NEEDS_A_USER),
    row("delete: admin api token, unknown id", Instead::Error(403, "OperationDeniedError"), NEEDS_A_USER),
    row("delete: admin api token, existing id", Instead::Error(403, "OperationDeniedError"), NEEDS_A_USER),
    row("create: empty object", Instead::Problems(&["/body/description", "/body/expiresAt"]), EVERY_PROBLEM),
    row(
        "delete: PAT of another user is a silent no-op",
        Instead::Error(404, "NotFoundError"),
        "Differences from Unleash: deleting another user's personal token answers 200, does nothing and writes an event / 404, no event",
    ),
];
