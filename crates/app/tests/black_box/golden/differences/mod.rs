//! The recorded cases to which Latchkey responds differently, how, and why. Differences that many responses share are in
//! `rules`, routes that Latchkey does not have in `elsewhere`. One module for each file of recordings; this one lists them.

mod access;
mod auth_whoami;
mod events;
mod init_limits;
mod instance_tokens;
mod ops_generic;
mod personal_tokens;
mod project_tokens;
mod projects_environments;
mod token_use;
mod users;

use latchkey_testkit::token_json::token_json;
use serde_json::{Value, json};

use crate::golden::{expected::Expected, recordings::Recording};

/// A case with another response than that of Unleash.
pub(crate) struct Difference {
    pub(crate) case: &'static str,
    pub(crate) instead: Instead,
    /// The statement of `docs/reference/wire-contract.md` that requires it.
    pub(crate) why: &'static str,
}

/// The response of Latchkey.
pub(crate) enum Instead {
    /// The error object, with this status and kind.
    Error(u64, &'static str),
    /// 400 for the body, with problems at these members and no others.
    Problems(&'static [&'static str]),
    /// A list without a token.
    EmptyList,
    /// 200 with nothing.
    Done,
    /// 201 with a client token of this name, project, environment and end (`null`, or a time in quotes).
    Created { name: &'static str, project: &'static str, environment: &'static str, expires_at: &'static str },
    /// 200 with this JSON.
    Body(fn() -> Value),
    /// The recorded response under the rules, edited.
    Edited(fn(&mut Expected)),
    /// None: a step of the set-up that the request depends on is refused with this error.
    NoSetUp(u64, &'static str),
}

impl Instead {
    /// Returns the expected response, given the recorded one under the rules.
    pub(crate) fn expected(&self, mut recorded: Expected) -> Expected {
        match self {
            Self::Error(status, kind) | Self::NoSetUp(status, kind) => Expected::error(*status, kind),
            Self::Problems(paths) => Expected::problems(paths),
            Self::EmptyList => Expected::new(200, Some("application/json"), json!({ "tokens": [] })),
            Self::Done => Expected::new(200, None, Value::Null),
            Self::Created { name, project, environment, expires_at } => {
                let expires_at: Value = serde_json::from_str(expires_at).expect("null or a time");
                created(name, project, environment, &expires_at)
            }
            Self::Body(body) => Expected::new(200, Some("application/json"), body()),
            Self::Edited(edit) => {
                edit(&mut recorded);
                recorded
            }
        }
    }
}

fn created(name: &str, project: &str, environment: &str, expires_at: &Value) -> Expected {
    let body = token_json(name, &format!("<secret:{project}:{environment}>"), "<rfc3339>")
        .with("environment", environment)
        .with_projects(&[project])
        .with("expiresAt", expires_at.clone());
    let mut expected = Expected::new(201, Some("application/json"), body.into());
    expected.headers.insert("location".to_owned(), json!("api-tokens"));
    expected
}

/// The response to the request with which most cases create a token.
const fn created_x(project: &'static str) -> Instead {
    Instead::Created { name: "x", project, environment: "development", expires_at: "null" }
}

const fn row(case: &'static str, instead: Instead, why: &'static str) -> Difference {
    Difference { case, instead, why }
}

/// Returns the differences of that file's cases.
pub(crate) fn of(recording: Recording) -> &'static [Difference] {
    match recording {
        Recording::Access => access::DIFFERENCES,
        Recording::AuthWhoami => auth_whoami::DIFFERENCES,
        Recording::Events => events::DIFFERENCES,
        Recording::InitLimits => init_limits::DIFFERENCES,
        Recording::InstanceTokens => instance_tokens::DIFFERENCES,
        Recording::OpsGeneric => ops_generic::DIFFERENCES,
        Recording::PersonalTokens => personal_tokens::DIFFERENCES,
        Recording::ProjectTokens => project_tokens::DIFFERENCES,
        Recording::ProjectsEnvironments => projects_environments::DIFFERENCES,
        Recording::TokenUse => token_use::DIFFERENCES,
        Recording::Users => users::DIFFERENCES,
    }
}

// Statements of the wire contract that several files refer to.

const BROKEN_BYTES: &str =
    "Differences from Unleash: bad UTF-8 or NUL in a body or path: 500 / 400 BadDataError";
const NOT_ALLOWED: &str = "Error object: MethodNotAllowedError 405 (with `Allow`)";
const MANY_PROJECTS: &str = "Differences from Unleash: users work in `default` only / any number of projects";
const EVERY_PROBLEM: &str =
    "Error object: details, each with its path; every problem is listed, and at the member that it is about";
const DEFAULT_ENVIRONMENT: &str = "Create body: `environment` (default `development`)";
const NOT_FREE: &str = "Users and projects: the free edition of Unleash answers 404 on these routes";
const NO_WEB_PAGE: &str =
    "Error object: also for unknown routes; Latchkey has no web page but that of its document";
