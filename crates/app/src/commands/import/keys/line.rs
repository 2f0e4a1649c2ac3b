//! A line of a file of keys.

use latchkey_domain::{
    EnvironmentName, EnvironmentScope, ProjectScope, TokenAccess, TokenAttributes, TokenDescription,
    TokenKind, TokenName, TokenSecret, TokenSelector,
};
use latchkey_ports::{ForeignDigest, IncomingSecret};
use latchkey_service::{ImportedKey, TokenDraft};
use serde::Deserialize;

use crate::commands::{expiry::parse_time, tokens::project_scope};

/// The longest line that is read, in bytes.
pub(super) const MAX_LINE_BYTES: usize = 64 * 1_024;

/// The members of a line. An unknown one is refused: a misspelled `expiresAt` would make a key that never ends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct KeyLine {
    name: TokenName,
    #[serde(rename = "type")]
    kind: String,
    projects: Option<Vec<String>>,
    environment: Option<String>,
    secret: Option<String>,
    sha256: Option<String>,
    selector: Option<String>,
    expires_at: Option<String>,
    description: Option<TokenDescription>,
}

/// Reads a line; `None` for one without a key.
///
/// # Errors
/// What to change.
pub(super) fn parse(line: &[u8]) -> Result<Option<ImportedKey>, String> {
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    let line: KeyLine = serde_json::from_slice(line).map_err(|error| {
        let text = error.to_string();
        // It is one line, whatever its number in the file.
        text.rsplit_once(" at line ").map_or(text.clone(), |(fault, _)| fault.to_owned())
    })?;
    line.into_key().map(Some)
}

impl KeyLine {
    fn into_key(self) -> Result<ImportedKey, String> {
        let Self { name, kind, projects, environment, secret, sha256, selector, expires_at, description } =
            self;
        let kind: TokenKind = kind.parse().map_err(text)?;
        let access = access(kind, projects, environment.as_deref())?;
        let expires_at =
            expires_at.map(|time| parse_time(&time).map_err(|fault| format!("expiresAt: {fault}")));
        let secret = match (secret, sha256) {
            (Some(_), _) if selector.is_some() => {
                return Err(
                    "selector belongs to sha256: a secret has its own, so leave selector out".to_owned()
                );
            }
            (Some(secret), None) => IncomingSecret::Plain(TokenSecret::parse(&secret).map_err(text)?),
            (None, Some(sha256)) => IncomingSecret::Sha256 {
                digest: sha256.parse::<ForeignDigest>().map_err(text)?,
                selector: selector
                    .map(|selector| selector.parse::<TokenSelector>())
                    .transpose()
                    .map_err(text)?,
            },
            _ => return Err("it must have either secret or sha256".to_owned()),
        };
        let attributes = TokenAttributes { description, ..TokenAttributes::default() };
        let draft = TokenDraft { name, access, expires_at: expires_at.transpose()?.into(), attributes };
        Ok(ImportedKey { draft, secret })
    }
}

/// A key without a scope could be meant for nothing or for all, so only an admin token needs none.
fn access(
    kind: TokenKind,
    projects: Option<Vec<String>>,
    environment: Option<&str>,
) -> Result<TokenAccess, String> {
    let is_admin = kind == TokenKind::Admin;
    let projects = match projects {
        None if is_admin => ProjectScope::All,
        None => return Err("projects is missing: name them, or write [\"*\"] for all".to_owned()),
        Some(ids) => project_scope(&ids).map_err(text)?,
    };
    let environment = match environment {
        None if is_admin => EnvironmentScope::All,
        None => return Err("environment is missing: name it".to_owned()),
        Some("*") => EnvironmentScope::All,
        Some(name) => EnvironmentScope::Only(EnvironmentName::new(name).map_err(text)?),
    };
    TokenAccess::new(kind, projects, environment).map_err(text)
}

fn text(fault: impl std::fmt::Display) -> String {
    fault.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<ImportedKey, String> {
        parse(line.as_bytes()).map(|key| key.expect("a key"))
    }

    const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn a_line_is_a_whole_key() {
        let line = format!(
            r#"{{"name":" web ","type":"BACKEND","projects":["shop","blog"],"environment":"production","sha256":"{DIGEST}",
            "selector":"AAAAAAAAAAAAAAAAAAAAAA","expiresAt":"2030-01-31T01:00:00+01:00","description":"Checkout"}}"#
        );
        let ImportedKey { draft, secret } = parsed(&line).expect("a key");
        assert_eq!((draft.name.as_str(), draft.access.kind()), ("web", TokenKind::Client));
        assert_eq!(draft.access.projects().named().len(), 2);
        assert_eq!(draft.expires_at.moment().expect("an end").to_string(), "2030-01-31T00:00:00.000Z");
        assert_eq!(draft.attributes.description.expect("described").as_str(), "Checkout");
        let IncomingSecret::Sha256 { digest, selector } = secret else { panic!("a digest") };
        assert_eq!((digest, selector), (DIGEST.parse().expect("hex"), "A".repeat(22).parse().ok()));
    }

    #[test]
    fn an_admin_token_needs_no_scope() {
        let ImportedKey { draft, secret } =
            parsed(r#"{"name":"ops","type":"admin","secret":"*:*.hush"}"#).expect("a key");
        assert_eq!(draft.access, TokenAccess::Admin);
        assert!(matches!(secret, IncomingSecret::Plain(secret) if secret.reveal() == "*:*.hush"));
    }

    #[test]
    fn a_fault_says_what_to_change() {
        let whole = |members: &str| {
            format!(r#"{{"name":"n","type":"client","projects":["*"],"environment":"production",{members}}}"#)
        };
        for (line, fault) in [
            ("hush".to_owned(), "expected value"),
            ("[]".to_owned(), "invalid length 0"),
            (
                whole(r#""secret":"s","expiresat":"2030-01-31T00:00:00Z""#),
                "unknown field `expiresat`, expected one of",
            ),
            (whole(r#""secret":"s","expiresAt":"2030""#), "expiresAt: "),
            (whole(r#""secret":"a b""#), "must not contain blanks"),
            (whole(r#""description":null"#), "either secret or sha256"),
            (whole(&format!(r#""secret":"s","sha256":"{DIGEST}""#)), "either secret or sha256"),
            (whole(r#""secret":"s","selector":"AAAAAAAAAAAAAAAAAAAAAA""#), "leave selector out"),
            (whole(r#""sha256":"9f86""#), "64 hex digits"),
            (whole(&format!(r#""sha256":"{DIGEST}","selector":"A""#)), "22 characters"),
            (r#"{"name":"n","type":"super","secret":"s"}"#.to_owned(), "type must be client"),
            (r#"{"name":"","type":"admin","secret":"s"}"#.to_owned(), "token name must not be empty"),
            (
                r#"{"name":"n","type":"client","environment":"e","secret":"s"}"#.to_owned(),
                "projects is missing",
            ),
            (
                r#"{"name":"n","type":"client","projects":[],"environment":"e","secret":"s"}"#.to_owned(),
                "project",
            ),
            (
                r#"{"name":"n","type":"client","projects":["*"],"secret":"s"}"#.to_owned(),
                "environment is missing",
            ),
            (
                r#"{"name":"n","type":"client","projects":["a/b"],"environment":"e","secret":"s"}"#
                    .to_owned(),
                "project id",
            ),
            (
                r#"{"name":"n","type":"client","projects":["*"],"environment":"*","secret":"s"}"#.to_owned(),
                "one environment",
            ),
            (r#"{"name":"n","type":"admin","projects":["a"],"secret":"s"}"#.to_owned(), "for all projects"),
        ] {
            let refused = parsed(&line).expect_err(&line);
            assert!(refused.contains(fault) && !refused.contains("at line"), "{line}: {refused}");
        }
    }
}
