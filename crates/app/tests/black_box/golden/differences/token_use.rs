//! Cases about the use of tokens.

use serde_json::json;

use super::{Difference, Instead, NOT_ALLOWED, row};

const AT_ONCE: &str =
    "Differences from Unleash: a revoked or expired token is still accepted for up to 60 s / refused at once";

pub(super) const DIFFERENCES: &[Difference] = &[
    row("validate: deleted a moment ago", Instead::EmptyList, AT_ONCE),
    row(
        "validate: numbers and nulls in list",
        Instead::Problems(&["/body/tokens"]),
        "Use of a token: 400 if `tokens` is absent or no array of strings",
    ),
    row(
        "validate: non-ascii string of the same length as a cached token",
        Instead::EmptyList,
        "Differences from Unleash: a non-ASCII token: 500; here it is only an unknown token, and those are left out",
    ),
    row("validate: GET gives the web page", Instead::Error(405, "MethodNotAllowedError"), NOT_ALLOWED),
    row("client: deleted a moment ago", Instead::Error(401, "UnauthorizedError"), AT_ONCE),
    row(
        "client: token made with an empty project list",
        Instead::NoSetUp(400, "BadDataError"),
        "Instance tokens, POST: 400 for `projects: []`, so there is no such token to use",
    ),
    row(
        "client: client token elsewhere",
        Instead::Body(|| json!({ "health": "GOOD" })),
        "Error object: 403 for a client or frontend token on an admin route, and /health needs no credentials",
    ),
];
