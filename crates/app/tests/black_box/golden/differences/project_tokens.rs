//! Cases about the tokens of a project.

use serde_json::{Value, json};

use super::{
    BROKEN_BYTES, DEFAULT_ENVIRONMENT, Difference, EVERY_PROBLEM, Instead, MANY_PROJECTS, NOT_ALLOWED,
    created, created_x, row,
};

const CREATED: Instead = created_x("default");

const ADMIN_TOKEN_SEES_ALL: &str = "Differences from Unleash: an admin API token gets every token of the instance from the project route / only that project's";
const OTHER_PROJECTS: &str = "Differences from Unleash: POST project token with `projects: []`, another project or [\"*\"]: no answer / 400 BadDataError";
const EXACT_PATHS: &str =
    "Differences from Unleash: fixed path parts in any case, double slashes / exact paths";
const NOT_OF_THIS_PROJECT: &str =
    "Project tokens, DELETE: 404 no such token here; an admin API token sees the same tokens as a user";

pub(super) const DIFFERENCES: &[Difference] = &[
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
    row("create: environment defaults to \"default\"", CREATED, DEFAULT_ENVIRONMENT),
    row(
        "create: expiresAt null is rejected",
        CREATED,
        "Create body: `expiresAt` (RFC 3339, optional, null allowed)",
    ),
    row("create: NUL in name", Instead::Error(400, "BadDataError"), BROKEN_BYTES),
    row(
        "create: type backend (8.x only)",
        Instead::Edited(|expected| {
            *expected = created("x", "default", "development", &Value::Null);
            expected.body["type"] = json!("backend");
        }),
        "Token object: `backend` is accepted on input as today's name for `client`, and sent back in that response alone",
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
        "Differences from Unleash: POST with neither project nor projects: 500 / works (path's project)",
    ),
    row("create: projects another project", Instead::Error(400, "BadDataError"), OTHER_PROJECTS),
    row("create: projects wildcard", Instead::Error(400, "BadDataError"), OTHER_PROJECTS),
    row("create: projects same project twice", Instead::Error(400, "BadDataError"), OTHER_PROJECTS),
    row("create: other project with admin user, single project edition", created_x("p2"), MANY_PROJECTS),
    row("delete: undecodable percent encoding", Instead::Error(400, "BadDataError"), BROKEN_BYTES),
    row(
        "delete: non-ascii token of the same length as a stored one",
        Instead::Error(404, "NotFoundError"),
        "Differences from Unleash: a non-ASCII token: 500 / 400 BadDataError (404 where it is only an unknown token)",
    ),
    row("delete: wildcard token, admin api token", Instead::Error(404, "NotFoundError"), NOT_OF_THIS_PROJECT),
    row("delete: admin token, admin api token", Instead::Error(404, "NotFoundError"), NOT_OF_THIS_PROJECT),
    row(
        "delete: token of another project, admin api token",
        Instead::Error(404, "NotFoundError"),
        NOT_OF_THIS_PROJECT,
    ),
];
