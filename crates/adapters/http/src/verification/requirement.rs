//! What a gateway requires of a token, in the query, in headers or in both; the token has to meet all of it.
//!
//! A requirement that cannot be read is refused, never ignored: otherwise the wrong tokens would be accepted.

use std::collections::BTreeSet;

use actix_web::{
    HttpRequest,
    http::header::{HeaderMap, HeaderName},
};
use deserr::Deserr;
use latchkey_domain::{EnvironmentName, ProjectId, ScopeSet, TokenKind, TokenScope};
use latchkey_service::{Fault as _, Message, Requirement};
use utoipa::IntoParams;

use crate::{
    error::ApiError,
    error_body::Detail,
    extract::{
        Problems,
        problems::parse,
        query::{members, pairs},
        text::{FromText, text_members},
    },
};

const PARAMETERS: [&str; 4] = ["project", "environment", "type", "scope"];
const HEADERS: [&str; 4] = [
    "x-latchkey-require-project",
    "x-latchkey-require-environment",
    "x-latchkey-require-type",
    "x-latchkey-require-scope",
];
const PREFIX: &str = "x-latchkey-require-";

/// The requirements in the query.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems)]
#[into_params(parameter_in = Query)]
pub(crate) struct RequirementQuery {
    /// The token has to work in this project.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "web-shop", pattern = "^[A-Za-z0-9_~.-]{1,100}$", nullable = false)]
    project: Option<ProjectId>,
    /// The token has to work in this environment.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "development", pattern = "^[A-Za-z0-9_~.-]{1,100}$", nullable = false)]
    environment: Option<EnvironmentName>,
    /// The token has to be of this type.
    #[deserr(default, rename = "type")]
    #[param(value_type = Option<String>, rename = "type", example = "client", pattern = "^(client|backend|frontend|admin)$", nullable = false)]
    kind: Option<TokenKind>,
    /// The token needs these scopes, separated by blanks.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "orders:read", pattern = "^[A-Za-z0-9_.:* -]{1,6463}$", nullable = false)]
    scope: Option<ScopeList>,
}

/// The requirements in headers.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems)]
#[into_params(parameter_in = Header)]
pub(crate) struct RequirementHeaders {
    /// As the parameter `project`.
    #[deserr(default, rename = "x-latchkey-require-project")]
    #[param(value_type = Option<String>, rename = "X-Latchkey-Require-Project", example = "web-shop", pattern = "^[A-Za-z0-9_~.-]{1,100}$", nullable = false)]
    project: Option<ProjectId>,
    /// As the parameter `environment`.
    #[deserr(default, rename = "x-latchkey-require-environment")]
    #[param(value_type = Option<String>, rename = "X-Latchkey-Require-Environment", example = "development", pattern = "^[A-Za-z0-9_~.-]{1,100}$", nullable = false)]
    environment: Option<EnvironmentName>,
    /// As the parameter `type`.
    #[deserr(default, rename = "x-latchkey-require-type")]
    #[param(value_type = Option<String>, rename = "X-Latchkey-Require-Type", example = "client", pattern = "^(client|backend|frontend|admin)$", nullable = false)]
    kind: Option<TokenKind>,
    /// As the parameter `scope`.
    #[deserr(default, rename = "x-latchkey-require-scope")]
    #[param(value_type = Option<String>, rename = "X-Latchkey-Require-Scope", example = "orders:read", pattern = "^[A-Za-z0-9_.:* -]{1,6463}$", nullable = false)]
    scope: Option<ScopeList>,
}

/// Scopes in one text, separated by blanks (RFC 6749, section 3.3): at least one.
#[derive(Debug)]
struct ScopeList(ScopeSet);

text_members!(ScopeList);

impl FromText for ScopeList {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        let scopes = text.split_ascii_whitespace().map(|scope| TokenScope::from_text(scope, name));
        let scopes =
            ScopeSet::new(scopes.collect::<Result<Vec<_>, _>>()?).map_err(|error| error.sentence())?;
        if scopes.is_empty() {
            Err(format!("{name} must name a scope, such as orders:read.").into())
        } else {
            Ok(Self(scopes))
        }
    }
}

impl ScopeList {
    /// Returns the scopes; without a list, none.
    fn scopes(list: Option<Self>) -> ScopeSet {
        list.map(|Self(scopes)| scopes).unwrap_or_default()
    }
}

impl RequirementQuery {
    /// Reads the query. Gateways may send other parameters, for a use of their own.
    ///
    /// # Errors
    /// [`ApiError::BadInput`] for a requirement that is malformed, empty or repeated, and for a misspelled name.
    pub(crate) fn read(request: &HttpRequest) -> Result<Requirement, ApiError> {
        let pairs = pairs(request)?;
        if pairs.is_empty() {
            return Ok(Requirement::default());
        }
        let mut problems = Problems::default();
        for name in pairs.iter().map(|(name, _)| name).filter(|name| is_misspelled(name)) {
            problems.push(Detail::of_query(name, unknown(name, PARAMETERS)));
        }
        let known = pairs.into_iter().filter(|(name, _)| PARAMETERS.contains(&name.as_str())).collect();
        let Self { project, environment, kind, scope } = read(known, "query", problems)?;
        Ok(Requirement { project, environment, kind, scopes: ScopeList::scopes(scope) })
    }
}

impl RequirementHeaders {
    /// Reads the headers.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Requirement, ApiError> {
        // Most requests have no such header, and one pass over the names is cheaper than four look-ups.
        let mut names =
            headers.keys().map(HeaderName::as_str).filter(|name| name.starts_with(PREFIX)).peekable();
        if names.peek().is_none() {
            return Ok(Requirement::default());
        }
        let mut problems = Problems::default();
        for name in names.filter(|name| !HEADERS.contains(name)) {
            problems.push(Detail::of_header(name, unknown(name, HEADERS)));
        }
        let mut pairs = Vec::new();
        for (name, value) in
            HEADERS.iter().flat_map(|name| headers.get_all(*name).map(move |value| (name, value)))
        {
            match value.to_str() {
                Ok(text) => pairs.push(((*name).to_owned(), text.to_owned())),
                Err(_) => problems.push(Detail::of_header(name, format!("{name} must be ASCII text."))),
            }
        }
        let Self { project, environment, kind, scope } = read(pairs, "headers", problems)?;
        Ok(Requirement { project, environment, kind, scopes: ScopeList::scopes(scope) })
    }
}

/// Returns whether a parameter was meant to require something.
fn is_misspelled(name: &str) -> bool {
    let singular = name.strip_suffix(['s', 'S']).unwrap_or(name);
    !PARAMETERS.contains(&name) && PARAMETERS.iter().any(|known| known.eq_ignore_ascii_case(singular))
}

fn unknown(name: &str, [project, environment, kind, scope]: [&str; 4]) -> String {
    format!("{name} requires nothing: write {project}, {environment}, {kind} or {scope}.")
}

/// Reads requirements that must not be repeated.
fn read<T: Deserr<Problems>>(
    mut pairs: Vec<(String, String)>,
    root: &str,
    mut problems: Problems,
) -> Result<T, ApiError> {
    let mut names = BTreeSet::new();
    let repeated: BTreeSet<_> =
        pairs.iter().map(|(name, _)| name.clone()).filter(|name| !names.insert(name.clone())).collect();
    for name in &repeated {
        let message = format!("{name} must be sent once.");
        problems.push(Detail { message: message.into(), path: Some(format!("/{root}/{name}")) });
    }
    pairs.retain(|(name, _)| !repeated.contains(name));
    Ok(problems.or_value(parse(members(pairs), root))?)
}
