//! What a gateway requires of a token: it is said in the query, in headers or in both, and all of it has to be met.
//!
//! What cannot be read is refused and never passed over: a requirement that counts as none lets the wrong tokens in.

use std::{fmt::Display, str::FromStr};

use actix_web::http::header::HeaderName;
use latchkey_service::Requirement;
use utoipa::IntoParams;

use crate::{call::Call, error_body::Detail, failure::Failure};

const BY_QUERY: [&str; 3] = ["project", "environment", "type"];
const PREFIX: &str = "x-latchkey-require-";
const BY_HEADER: [&str; 3] =
    ["x-latchkey-require-project", "x-latchkey-require-environment", "x-latchkey-require-type"];

/// The requirements of a query.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the query for the document; they are read one by one")]
pub(crate) struct RequiredByQuery {
    /// The token has to reach this project.
    project: Option<String>,
    /// The token has to work in this environment.
    environment: Option<String>,
    /// The token has to be of this type.
    r#type: Option<String>,
}

/// The requirements of headers.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes the headers for the document; they are read one by one")]
pub(crate) struct RequiredByHeaders {
    /// As the parameter `project`.
    #[param(rename = "X-Latchkey-Require-Project")]
    project: Option<String>,
    /// As the parameter `environment`.
    #[param(rename = "X-Latchkey-Require-Environment")]
    environment: Option<String>,
    /// As the parameter `type`.
    #[param(rename = "X-Latchkey-Require-Type")]
    r#type: Option<String>,
}

impl Call {
    /// What the query requires.
    ///
    /// # Errors
    /// [`Failure::BadInput`] for what is empty, no name of its kind, or said twice, and for a name that is misspelt.
    pub(crate) fn required_by_query(&self) -> Result<Requirement, Failure> {
        let query = self.query()?;
        let misspelt = query.names().filter(|name| is_misspelt(name));
        read(BY_QUERY, Detail::of_query, misspelt, |name| query.all(name).map(Some).collect())
    }

    /// What headers require.
    ///
    /// # Errors
    /// As [`Call::required_by_query`].
    pub(crate) fn required_by_headers(&self) -> Result<Requirement, Failure> {
        let headers = self.request.headers();
        // Most requests say nothing here, and one look is cheaper than three.
        let mut names =
            headers.keys().map(HeaderName::as_str).filter(|name| name.starts_with(PREFIX)).peekable();
        if names.peek().is_none() {
            return Ok(Requirement::default());
        }
        let misspelt = names.filter(|name| !BY_HEADER.contains(name));
        read(BY_HEADER, Detail::of_header, misspelt, |name| {
            headers.get_all(name).map(|value| value.to_str().ok()).collect()
        })
    }
}

/// Whether a parameter was meant to require something. Others may be there: a gateway can have a use of its own for them.
fn is_misspelt(name: &str) -> bool {
    let singular = name.strip_suffix(['s', 'S']).unwrap_or(name);
    !BY_QUERY.contains(&name) && BY_QUERY.iter().any(|known| known.eq_ignore_ascii_case(singular))
}

/// Reads all three, under their names there; of a name, all that is said is found, `None` for what is no text.
fn read<'a>(
    [project, environment, kind]: [&'static str; 3],
    detail: fn(&str, String) -> Detail,
    misspelt: impl Iterator<Item = &'a str>,
    said: impl Fn(&str) -> Vec<Option<&'a str>>,
) -> Result<Requirement, Failure> {
    let mut problems = Vec::new();
    let mut note = |name: &str, message| problems.push(detail(name, message));
    for name in misspelt {
        note(name, format!("{name} requires nothing: write {project}, {environment} or {kind}."));
    }
    let requirement = Requirement {
        project: once(project, &said(project), &mut note),
        environment: once(environment, &said(environment), &mut note),
        kind: once(kind, &said(kind), &mut note),
    };
    if problems.is_empty() { Ok(requirement) } else { Err(Failure::BadInput(problems)) }
}

fn once<T: FromStr<Err: Display>>(
    name: &str,
    said: &[Option<&str>],
    note: &mut impl FnMut(&str, String),
) -> Option<T> {
    let read = match said {
        [] => return None,
        [Some(text)] => text.parse().map_err(|error: T::Err| format!("{name}: {error}.")),
        [None] => Err(format!("{name} must be ASCII text.")),
        _ => Err(format!("{name} must be said once.")),
    };
    read.map_err(|message| note(name, message)).ok()
}
