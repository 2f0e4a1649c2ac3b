//! The database URL, which selects the store.

use std::{fmt, path::PathBuf, str::FromStr};

use secrecy::{ExposeSecret as _, SecretString};

/// The database that the URL selects.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    Memory,
    SqliteMemory,
    SqliteFile(PathBuf),
    /// PostgreSQL. The URL can hold a password.
    Postgres(SecretString),
}

impl Database {
    /// Returns the name of the database system in traces (`db.system.name` in the semantic conventions of OpenTelemetry).
    pub(crate) fn system(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::SqliteMemory | Self::SqliteFile(_) => "sqlite",
            Self::Postgres(_) => "postgresql",
        }
    }
}

/// Why a string is not a database URL. The message does not repeat the string, which can hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidDatabaseUrl {
    #[error(
        "it must begin with sqlite://, postgres:// or memory: (examples: sqlite://data/latchkey.db, postgres://user:password@host/database)"
    )]
    Scheme,
    #[error("it has no path: write sqlite://data/latchkey.db, or sqlite::memory: for a database in memory")]
    NoPath,
    #[error("SQLite takes no parameters after \"?\": remove them")]
    Parameters,
}

impl FromStr for Database {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        let text = text.trim();
        if text == "memory:" {
            return Ok(Self::Memory);
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.into()));
        }
        let path = text.strip_prefix("sqlite:").ok_or(InvalidDatabaseUrl::Scheme)?;
        match path.strip_prefix("//").unwrap_or(path) {
            "" => Err(InvalidDatabaseUrl::NoPath),
            ":memory:" => Ok(Self::SqliteMemory),
            path if path.contains('?') => Err(InvalidDatabaseUrl::Parameters),
            path => Ok(Self::SqliteFile(path.into())),
        }
    }
}

/// Names the database without its password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory, lost at the end"),
            Self::SqliteMemory => f.write_str("SQLite in memory, lost at the end"),
            Self::SqliteFile(path) => write!(f, "SQLite in {}", path.display()),
            Self::Postgres(_) => f.write_str("PostgreSQL"),
        }
    }
}

impl Database {
    /// Returns its name, with the URL of PostgreSQL without its password.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Postgres(url) => masked(url.expose_secret()),
            other => other.to_string(),
        }
    }
}

/// Replaces a password.
const MASK: &str = "***";

/// Returns the URL with its passwords masked. It rather masks too much, also in a string that is not a valid URL.
pub(crate) fn masked(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    // The last `@`: a password can contain one that is not percent-encoded.
    let Some((login, place)) = rest.rsplit_once('@') else {
        return scheme + &without_parameters(rest);
    };
    let login = match login.split_once(':') {
        Some((user, _)) => format!("{user}:{MASK}"),
        None => without_parameters(login),
    };
    format!("{scheme}{login}@{}", without_parameters(place))
}

/// Masks the values of parameters that hold passwords (`?password=`, `&sslpassword=`).
fn without_parameters(text: &str) -> String {
    let masked = |part: &str| match part.split_once('=') {
        Some((name, value)) if name.to_lowercase().contains("pass") => {
            let end = if value.ends_with('&') { "&" } else { "" };
            format!("{name}={MASK}{end}")
        }
        _ => part.to_owned(),
    };
    text.split_inclusive(['?', '&']).map(masked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> String {
        match text.parse::<Database>() {
            Ok(Database::Postgres(url)) => format!("postgres {}", url.expose_secret()),
            Ok(Database::SqliteFile(path)) => format!("file {}", path.display()),
            Ok(database) => format!("{database:?}"),
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn the_url_selects_the_store() {
        for (url, expected) in [
            ("memory:", "Memory"),
            ("sqlite::memory:", "SqliteMemory"),
            ("sqlite://:memory:", "SqliteMemory"),
            ("sqlite://data/latchkey.db", "file data/latchkey.db"),
            ("sqlite:///var/lib/latchkey.db", "file /var/lib/latchkey.db"),
            ("postgres://u:p@h:5/d?x=y", "postgres postgres://u:p@h:5/d?x=y"),
            ("postgresql://h/d", "postgres postgresql://h/d"),
            ("sqlite://", "NoPath"),
            ("sqlite://a.db?mode=ro", "Parameters"),
            ("mysql://u:hush@h/d", "Scheme"),
            ("data/latchkey.db", "Scheme"),
            ("", "Scheme"),
        ] {
            assert_eq!(parse(url), expected, "{url}");
        }
    }

    #[test]
    fn passwords_are_masked() {
        for (url, expected) in [
            ("postgres://u:hush@h:5432/d", "postgres://u:***@h:5432/d"),
            ("postgres://u:hu@sh@h/d?sslmode=require", "postgres://u:***@h/d?sslmode=require"),
            ("postgres://u:hu/sh:x@h/d", "postgres://u:***@h/d"),
            ("postgres://u@h/d?user=u&password=hush", "postgres://u@h/d?user=u&password=***"),
            ("postgres://u:hu?sh@h/d", "postgres://u:***@h/d"),
            (
                "postgres://h/d?sslpassword=hush&user=me@x&password=hush",
                "postgres://h/d?sslpassword=***&user=me@x&password=***",
            ),
            ("postgres://h/d", "postgres://h/d"),
            ("mysql:u:hush@h", "mysql:***@h"),
            ("sqlite://data/latchkey.db", "sqlite://data/latchkey.db"),
        ] {
            assert_eq!(masked(url), expected);
        }
        let url: Database = "postgres://u:hush@h/d".parse().expect("a URL");
        assert!(!format!("{url} {url:?}").contains("hush"));
    }
}
