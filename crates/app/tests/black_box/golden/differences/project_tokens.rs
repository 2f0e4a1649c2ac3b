//! The table of differences: each recorded case that Latchkey answers otherwise, how, and why. What differs in the
//! same way in many answers stands in `rules`.

use serde_json::json;

use crate::golden::expected::Expected;

/// A case that is answered otherwise than by the reference.
pub(crate) struct Difference {
    pub(crate) case: &'static str,
    pub(crate) instead: Instead,
    /// The row of the contract that asks for it.
    pub(crate) why: &'static str,
}

/// What Latchkey answers, exactly.
pub(crate) enum Instead {
    /// The error object, with this status and kind.
    Error(u64, &'static str),
    /// 400 for the body, with problems at these members and no others.
    Problems(&'static [&'static str]),
    /// A list without a token.
    EmptyList,
    /// 201 with a client token named `x` for this project, environment and end (`null`, or a time in quotes).
    Created { project: &'static str, environment: &'static str, expires_at: &'static str },
}

impl Instead {
    pub(crate) fn expected(&self) -> Expected {
        match self {
            Self::Error(status, kind) => Expected::error(*status, kind),
            Self::Problems(paths) => {
                let mut expected = Expected::error(400, "BadDataError");
                expected.body["details"] = json!(format!("<problems:{}>", paths.join(",")));
                expected
            }
            Self::EmptyList => Expected::new(200, Some("application/json"), json!({ "tokens": [] })),
            Self::Created { project, environment, expires_at } => {
                let expires_at: serde_json::Value = serde_json::from_str(expires_at).expect("null or a time");
                let body = json!({
                    "secret": format!("<secret:{project}:{environment}>"),
                    "tokenName": "x",
                    "username": "x",
                    "type": "client",
                    "environment": environment,
                    "project": project,
                    "projects": [project],
                    "expiresAt": expires_at,
                    "createdAt": "<rfc3339>",
                    "seenAt": null,
                    "alias": null,
                });
                Expected::new(201, Some("application/json"), body)
            }
        }
    }
}

const CREATED: Instead =
    Instead::Created { project: "default", environment: "development", expires_at: "null" };

const fn row(case: &'static str, instead: Instead, why: &'static str) -> Difference {
    Difference { case, instead, why }
}

const ADMIN_TOKEN_SEES_ALL: &str = "Where we differ: an admin API token gets every token of the instance from the project route / only that project's";
const BROKEN_BYTES: &str = "Where we differ: bad UTF-8 or NUL in a body or path: 500 / 400 BadDataError";
const OTHER_PROJECTS: &str = "Where we differ: POST project token with `projects: []`, another project or [\"*\"]: no answer / 400 BadDataError";
const NOT_ALLOWED: &str = "Error object: MethodNotAllowedError 405 (with `Allow`)";
const EXACT_PATHS: &str = "Where we differ: fixed path parts in any case, double slashes / exact paths";
const NOT_OF_THIS_PROJECT: &str =
    "Project tokens, DELETE: 404 no such token here; an admin API token sees the same tokens as a user";
const MANY_PROJECTS: &str = "Where we differ: users work in `default` only / any number of projects";

const EVERY_PROBLEM: &str =
    "Error object: details, each with its path; every problem is listed, and at the member that it is about";

pub(crate) const DIFFERENCES: &[Difference] = &[
    row("create: tokenName and username together", Instead::Problems(&["/body/username"]), EVERY_PROBLEM),
    row("create: empty object", Instead::Problems(&["/body/type", "/body/tokenName"]), EVERY_PROBLEM),
    row(
        "create: unknown project, bad body (validation comes first)",
        Instead::Problems(&["/body/type", "/body/tokenName"]),
        EVERY_PROBLEM,
    ),
    row(
        "list: admin api token (sees every token, also admin tokens)",
        Instead::EmptyList,
        ADMIN_TOKEN_SEES_ALL,
    ),
    row("list: bearer prefix accepted", Instead::EmptyList, ADMIN_TOKEN_SEES_ALL),
    row("list: undecodable percent encoding", Instead::Error(400, "BadDataError"), BROKEN_BYTES),
    row("list: double slashes are collapsed", Instead::Error(404, "NotFoundError"), EXACT_PATHS),
    row("list: fixed path parts are case insensitive", Instead::Error(404, "NotFoundError"), EXACT_PATHS),
    row("list: PUT not routed", Instead::Error(405, "MethodNotAllowedError"), NOT_ALLOWED),
    row("list: PATCH not routed", Instead::Error(405, "MethodNotAllowedError"), NOT_ALLOWED),
    row("list: GET on item not routed", Instead::Error(405, "MethodNotAllowedError"), NOT_ALLOWED),
    row(
        "create: environment defaults to \"default\"",
        CREATED,
        "Create body: `environment` (default `development`)",
    ),
    row(
        "create: expiresAt null is rejected",
        CREATED,
        "Create body: `expiresAt` (RFC 3339, optional, null allowed)",
    ),
    row(
        "create: number as name is coerced to a string",
        Instead::Error(400, "BadDataError"),
        "Issue 2, Bar, bad input: numbers where strings belong; Token object: tokenName is a string",
    ),
    row("create: NUL in name", Instead::Error(400, "BadDataError"), BROKEN_BYTES),
    row(
        "create: type backend (8.x only)",
        CREATED,
        "Token object: `backend` is accepted on input as today's name for `client`",
    ),
    row(
        "create: type admin with projects [*]",
        Instead::Error(400, "BadDataError"),
        "Project tokens, POST: 400 for type admin",
    ),
    row(
        "create: unknown environment, editor on single project edition",
        Instead::Error(400, "BadDataError"),
        "Project tokens, POST: 400 for an unknown environment; Order of checks: 403 first, and an editor may",
    ),
    row(
        "create: no projects field",
        CREATED,
        "Where we differ: POST with neither project nor projects: 500 / works (path's project)",
    ),
    row("create: projects another project", Instead::Error(400, "BadDataError"), OTHER_PROJECTS),
    row("create: projects wildcard", Instead::Error(400, "BadDataError"), OTHER_PROJECTS),
    row("create: projects same project twice", Instead::Error(400, "BadDataError"), OTHER_PROJECTS),
    row(
        "create: other project with admin user, single project edition",
        Instead::Created { project: "p2", environment: "development", expires_at: "null" },
        MANY_PROJECTS,
    ),
    row("delete: undecodable percent encoding", Instead::Error(400, "BadDataError"), BROKEN_BYTES),
    row(
        "delete: non-ascii token of the same length as a stored one",
        Instead::Error(404, "NotFoundError"),
        "Where we differ: a non-ASCII token: 500 / 400 BadDataError (404 where it is only an unknown token)",
    ),
    row("delete: wildcard token, admin api token", Instead::Error(404, "NotFoundError"), NOT_OF_THIS_PROJECT),
    row("delete: admin token, admin api token", Instead::Error(404, "NotFoundError"), NOT_OF_THIS_PROJECT),
    row(
        "delete: token of another project, admin api token",
        Instead::Error(404, "NotFoundError"),
        NOT_OF_THIS_PROJECT,
    ),
];
