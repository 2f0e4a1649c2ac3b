//! The environment variables of the process, read once and passed on as a value, so that a test can supply its own.
//!
//! A variable that holds a secret has a twin with `_FILE` behind its name, which names a file with the value: container
//! platforms mount secrets as files.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fs::File,
    io::{self, Read as _},
};

use anyhow::{Context as _, anyhow, bail};

/// The environment variables that Latchkey reads. Empty ones are left out: compose files and unit files write
/// `VARIABLE=` to say that a variable is not set.
#[derive(Clone, Default)]
pub(crate) struct EnvVars(BTreeMap<String, Variable>);

#[derive(Clone)]
struct Variable {
    value: String,
    /// The variable that was set: this one, or its twin that names a file.
    origin: String,
    /// The file that the twin names.
    file: Option<String>,
}

/// The variable with the master keys.
pub(crate) const MASTER_KEY: &str = "LATCHKEY_MASTER_KEY";
/// The variable with the secret of Unleash Enterprise Edge, which has its name.
pub(crate) const EDGE_CLIENT_SECRET: &str = "EDGE_CLIENT_SECRET";
/// The variable with the token with which a command calls a server.
pub(crate) const TOKEN: &str = "LATCHKEY_TOKEN";
/// The variable with the password of `mail.user`.
pub(crate) const SMTP_PASSWORD: &str = "LATCHKEY_SMTP_PASSWORD";
/// The variables with a secret, each of which has a twin that names a file.
pub(super) const SECRETS: [&str; 11] = [
    MASTER_KEY,
    "DATABASE_URL",
    "LATCHKEY__DATABASE__URL",
    "LATCHKEY__DATABASE__PRIMARY_URL",
    "INIT_ADMIN_API_TOKENS",
    "INIT_CLIENT_API_TOKENS",
    "INIT_BACKEND_API_TOKENS",
    "INIT_FRONTEND_API_TOKENS",
    EDGE_CLIENT_SECRET,
    TOKEN,
    SMTP_PASSWORD,
];
const FILE: &str = "_FILE";
/// The maximum size of such a file, far above what a secret needs.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Prefixes of Latchkey's own variables.
const PREFIXES: [&str; 2] = ["LATCHKEY_", "INIT_"];
/// Variables that are not of Latchkey alone: hosting platforms set them for any program, and Unleash has one of them.
const SHARED: [&str; 6] =
    ["DATABASE_URL", "DATABASE_URL_FILE", EDGE_CLIENT_SECRET, "EDGE_CLIENT_SECRET_FILE", "PORT", "RUST_LOG"];
/// The prefixes of variables that every client of PostgreSQL reads, and every program with OpenTelemetry.
const SHARED_PREFIXES: [&str; 2] = ["PG", "OTEL_"];

impl EnvVars {
    /// Reads the variables of this process, and the files that they name.
    ///
    /// # Errors
    /// Names a variable that is not valid UTF-8, a file that cannot be read, or two variables that say the same.
    pub(crate) fn from_process() -> anyhow::Result<Self> {
        Self::read(env::vars_os())
    }

    fn read(variables: impl IntoIterator<Item = (OsString, OsString)>) -> anyhow::Result<Self> {
        let mut kept = BTreeMap::new();
        for (name, value) in variables {
            let Some(name) = name.to_str() else { continue };
            let has_prefix = PREFIXES.iter().chain(&SHARED_PREFIXES).any(|prefix| name.starts_with(prefix));
            let is_known = has_prefix || SHARED.contains(&name);
            if !is_known || value.is_empty() {
                continue;
            }
            let value = value
                .into_string()
                .map_err(|_| anyhow!("the environment variable {name} is not valid UTF-8"))?;
            kept.insert(name.to_owned(), Variable { value, origin: name.to_owned(), file: None });
        }
        for name in SECRETS {
            let twin = format!("{name}{FILE}");
            let Some(Variable { value: path, .. }) = kept.remove(&twin) else { continue };
            if kept.contains_key(name) {
                bail!("{name} and {twin} are both set: leave one of them out");
            }
            let value =
                secret_in(&path).with_context(|| format!("the file {path} of {twin} cannot be read"))?;
            kept.insert(name.to_owned(), Variable { value, origin: twin, file: Some(path) });
        }
        Ok(Self(kept))
    }

    /// Returns the value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|variable| variable.value.as_str())
    }

    /// Returns the name of the variable that was set for this one: its own, or that of its twin with `_FILE`.
    pub(crate) fn origin(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|variable| variable.origin.as_str())
    }

    /// Returns the file that the value of a variable was read from.
    pub(crate) fn file(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.file.as_deref()
    }

    /// Returns every variable with its value, sorted by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, variable)| (name.as_str(), variable.value.as_str()))
    }
}

/// Reads a file without the line end that editors leave behind.
fn secret_in(path: &str) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_FILE_BYTES).read_to_string(&mut text)?;
    let length = text.trim_end_matches(['\n', '\r']).len();
    text.truncate(length);
    if text.is_empty() {
        return Err(io::Error::other("it is empty"));
    }
    Ok(text)
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for EnvVars {
    fn from(variables: [(&str, &str); N]) -> Self {
        let pairs = variables.map(|(name, value)| (name.into(), value.into()));
        Self::read(pairs).expect("text")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_non_empty_variables_of_latchkey_are_kept() {
        let variables = EnvVars::from([("PORT", "1"), ("HOME", "/"), ("INIT_X", ""), ("LATCHKEY_A", "b")]);
        assert_eq!(variables.iter().collect::<Vec<_>>(), [("LATCHKEY_A", "b"), ("PORT", "1")]);
        assert_eq!((variables.get("PORT"), variables.get("INIT_X")), (Some("1"), None));
    }

    #[test]
    fn a_secret_can_come_from_a_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name).display().to_string();
        fs::write(path("url"), "postgres://u:p@h/d\r\n").expect("written");
        fs::write(path("empty"), "\n").expect("written");
        let variables = EnvVars::from([("DATABASE_URL_FILE", &*path("url"))]);
        assert_eq!(variables.get("DATABASE_URL"), Some("postgres://u:p@h/d"));
        assert_eq!(variables.origin("DATABASE_URL"), Some("DATABASE_URL_FILE"));
        assert_eq!(variables.get("DATABASE_URL_FILE"), None);

        let refused = |variables: &[(&str, &str)]| {
            let pairs = variables.iter().map(|(name, value)| (name.into(), value.into()));
            format!("{:#}", EnvVars::read(pairs).err().expect("refused"))
        };
        let missing = refused(&[("LATCHKEY_MASTER_KEY_FILE", &path("nowhere"))]);
        assert!(missing.contains("of LATCHKEY_MASTER_KEY_FILE cannot be read: No such file"), "{missing}");
        let empty = refused(&[("INIT_CLIENT_API_TOKENS_FILE", &path("empty"))]);
        assert!(empty.ends_with("of INIT_CLIENT_API_TOKENS_FILE cannot be read: it is empty"), "{empty}");
        let both = refused(&[("DATABASE_URL_FILE", &path("url")), ("DATABASE_URL", "memory:")]);
        assert_eq!(both, "DATABASE_URL and DATABASE_URL_FILE are both set: leave one of them out");
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_utf8_is_reported_with_its_name() {
        use std::os::unix::ffi::OsStringExt as _;
        let broken = || OsString::from_vec(vec![0xff]);
        let error = EnvVars::read([("DATABASE_URL".into(), broken())]).err().expect("no text");
        assert_eq!(error.to_string(), "the environment variable DATABASE_URL is not valid UTF-8");
        assert!(EnvVars::read([("SHELL".into(), broken()), (broken(), "x".into())]).is_ok());
    }
}
