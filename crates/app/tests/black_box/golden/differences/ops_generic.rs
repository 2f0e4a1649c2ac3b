//! Cases about what all routes have in common.

use serde_json::json;

use super::{Difference, Instead, NO_WEB_PAGE, NOT_ALLOWED, created_x, row};

const ORDER_OF_CHECKS: &str = "Order of checks: 401, then 403, then 400 for the body";

pub(super) const DIFFERENCES: &[Difference] = &[
    row("health: POST", Instead::Error(405, "MethodNotAllowedError"), NOT_ALLOWED),
    row(
        "ready is not there in 6.10.1 (web page)",
        Instead::Body(|| json!({ "health": "GOOD" })),
        "/health and /ready (ready = the database answers)",
    ),
    row(
        "openapi: redirect",
        Instead::Edited(|expected| {
            for only_of_the_page in ["content-type", "content-security-policy", "x-content-type-options"] {
                expected.headers.remove(only_of_the_page);
            }
            expected.body = json!(null);
        }),
        "Error object is for 4xx and 5xx: a redirect says where to, and needs no page that says it again",
    ),
    row("unknown path without extension: web page", Instead::Error(404, "NotFoundError"), NO_WEB_PAGE),
    row(
        "body: malformed json without auth (parsing comes before auth)",
        Instead::Error(401, "AuthenticationRequired"),
        ORDER_OF_CHECKS,
    ),
    row(
        "body: empty with json content type",
        Instead::Problems(&["/body/type", "/body/tokenName"]),
        super::EVERY_PROBLEM,
    ),
    row(
        "body: larger than 100 kB",
        created_x("default"),
        "oversized bodies (limit 1 MiB); Create body: unknown fields are ignored",
    ),
    row(
        "content encoding: gzip header, plain body",
        Instead::Error(415, "ContentTypeError"),
        "Error object: ContentTypeError 415: a body is taken as it is, and in no other encoding",
    ),
];
