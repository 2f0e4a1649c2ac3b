//! The database URL, which chooses the store.

use std::{fmt, path::PathBuf, str::FromStr};

use secrecy::SecretString;

/// Where everything is kept.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    /// In the memory of the process: for a try.
    Memory,
    /// SQLite in the memory of the process: the same, over the real SQL.
    SqliteMemory,
    /// One SQLite file.
    SqliteFile(PathBuf),
    /// PostgreSQL, by its URL; it may hold a password.
    Postgres(SecretString),
}

/// Why a text is no database URL. It does not repeat the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidDatabaseUrl {
    #[error(
        "it must begin with sqlite://, postgres:// or memory: (examples: sqlite://data/latchkey.db, postgres://user:password@host/database)"
    )]
    Scheme,
    #[error("it has no path: write sqlite://data/latchkey.db, or sqlite::memory: for a database in memory")]
    NoPath,
    #[error("parameters after \"?\" are not understood for SQLite")]
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

/// For people, without a password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory, gone at the end"),
            Self::SqliteMemory => f.write_str("SQLite in memory, gone at the end"),
            Self::SqliteFile(path) => write!(f, "SQLite in {}", path.display()),
            Self::Postgres(_) => f.write_str("PostgreSQL"),
        }
    }
}

/// What stands where a password was.
const MASK: &str = "***";

/// The URL with its passwords masked: rather too much than too little, also in a text that is no good URL.
pub(crate) fn masked(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    // The last `@`: a password may hold one that nobody has encoded.
    let Some((login, place)) = rest.rsplit_once('@') else {
        return scheme + &without_parameters(rest);
    };
    let login = match login.split_once(':') {
        Some((user, _)) => format!("{user}:{MASK}"),
        None => without_parameters(login),
    };
    format!("{scheme}{login}@{}", without_parameters(place))
}

/// The text with the values of parameters that hold passwords masked (`?password=`, `&sslpassword=`).
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
    use secrecy::ExposeSecret as _;

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
    fn the_url_chooses_the_store() {
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
    fn no_password_is_shown() {
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
