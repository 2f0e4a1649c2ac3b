//! The table of differences: each recorded case that Latchkey answers otherwise, how, and why. What differs in the
//! same way in many answers stands in `rules`; routes that Latchkey does not have, in `elsewhere`. One module for each
//! file of recordings; this one lists them all.

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
    /// 200 with nothing.
    Done,
    /// 201 with a client token of this name, project, environment and end (`null`, or a time in quotes).
    Created { name: &'static str, project: &'static str, environment: &'static str, expires_at: &'static str },
    /// 200 with this JSON.
    Body(fn() -> Value),
    /// As recorded, under the rules, but for this.
    Edited(fn(&mut Expected)),
    /// Nothing: a step of the case's set-up, without which its request cannot be sent, is refused with this error.
    NoSetUp(u64, &'static str),
}

impl Instead {
    /// What is expected in place of what was recorded, which is given under the rules.
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

/// A token that was created, as most cases create it.
const fn created_x(project: &'static str) -> Instead {
    Instead::Created { name: "x", project, environment: "development", expires_at: "null" }
}

const fn row(case: &'static str, instead: Instead, why: &'static str) -> Difference {
    Difference { case, instead, why }
}

/// The differences of that file's cases.
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

// Rows of the contract that several files speak of.

const BROKEN_BYTES: &str = "Where we differ: bad UTF-8 or NUL in a body or path: 500 / 400 BadDataError";
const NOT_ALLOWED: &str = "Error object: MethodNotAllowedError 405 (with `Allow`)";
const MANY_PROJECTS: &str = "Where we differ: users work in `default` only / any number of projects";
const EVERY_PROBLEM: &str =
    "Error object: details, each with its path; every problem is listed, and at the member that it is about";
const DEFAULT_ENVIRONMENT: &str = "Create body: `environment` (default `development`)";
const NOT_FREE: &str = "People, roles, places: the reference's free edition answers 404 on the rows marked °";
const NO_WEB_PAGE: &str =
    "Error object: also for unknown routes; Latchkey has no web page but that of its document";
