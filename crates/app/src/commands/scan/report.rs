//! The findings as text and as JSON.

use std::fmt;

use latchkey_domain::SecretForm;
use serde::Serialize;

use super::{
    finding::Finding,
    verify::{Status, Statuses},
};

/// A finding as a line of text: `file:line: what of the secret may be shown (its form)`.
pub(super) struct Line<'f> {
    pub(super) finding: &'f Finding,
    pub(super) statuses: &'f Statuses,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { path, commit, line, form, secret, .. } = self.finding;
        if let Some(commit) = commit {
            write!(f, "{commit}:")?;
        }
        match path {
            Some(path) => write!(f, "{path}:{line}: ")?,
            None => write!(f, "line {line}: ")?,
        }
        write!(f, "{} ({})", secret.masked(), title(*form))?;
        match self.statuses.of(self.finding) {
            None => Ok(()),
            Some(Status { live: false, .. }) => f.write_str(", not valid"),
            Some(status) => write!(f, ", valid: {status}"),
        }
    }
}

/// A finding as an object.
#[derive(Serialize)]
struct JsonFinding<'f> {
    /// Null for the message of a commit.
    path: Option<&'f str>,
    commit: Option<&'f str>,
    line: u64,
    form: &'static str,
    masked: String,
    /// That of the secret, so that the same secret is known again.
    sha256: &'f str,
    /// Without a server: null.
    status: Option<&'f Status>,
}

/// Returns the findings as an array.
pub(super) fn json<'f>(findings: &'f [Finding], statuses: &'f Statuses) -> impl Serialize + use<'f> {
    let object = |finding: &'f Finding| {
        let Finding { path, commit, line, form, secret, sha256 } = finding;
        JsonFinding {
            path: path.as_deref(),
            commit: commit.as_deref(),
            line: *line,
            form: id(*form),
            masked: secret.masked(),
            sha256,
            status: statuses.of(finding),
        }
    };
    findings.iter().map(object).collect::<Vec<_>>()
}

/// Returns the name of a form for programs.
pub(super) fn id(form: SecretForm) -> &'static str {
    match form {
        SecretForm::ApiToken => "api-token",
        SecretForm::PersonalToken => "personal-access-token",
        SecretForm::Session => "session",
        SecretForm::UnleashV2 => "unleash-v2-token",
    }
}

/// Returns the name of a form for people.
pub(super) fn title(form: SecretForm) -> &'static str {
    match form {
        SecretForm::ApiToken => "API token",
        SecretForm::PersonalToken => "personal access token",
        SecretForm::Session => "session",
        SecretForm::UnleashV2 => "API token in the second form of Unleash",
    }
}
