//! The environment variables of the process, read once and passed on as a value, so that a test can supply its own.

use std::{collections::BTreeMap, env, ffi::OsString};

use anyhow::anyhow;

/// The environment variables that Latchkey reads. Empty ones are left out: compose files and unit files write
/// `VARIABLE=` to say that a variable is not set.
#[derive(Clone, Default)]
pub(crate) struct EnvVars(BTreeMap<String, String>);

/// Prefixes of Latchkey's own variables.
const PREFIXES: [&str; 2] = ["LATCHKEY_", "INIT_"];
/// Variables that hosting platforms set for any program.
const SHARED: [&str; 3] = ["DATABASE_URL", "PORT", "RUST_LOG"];

impl EnvVars {
    /// Reads the variables of this process.
    ///
    /// # Errors
    /// Names a variable that is not valid UTF-8.
    pub(crate) fn from_process() -> anyhow::Result<Self> {
        Self::read(env::vars_os())
    }

    fn read(variables: impl IntoIterator<Item = (OsString, OsString)>) -> anyhow::Result<Self> {
        let mut kept = BTreeMap::new();
        for (name, value) in variables {
            let Some(name) = name.to_str() else { continue };
            let is_known = PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || SHARED.contains(&name);
            if !is_known || value.is_empty() {
                continue;
            }
            let value = value
                .into_string()
                .map_err(|_| anyhow!("the environment variable {name} is not valid UTF-8"))?;
            kept.insert(name.to_owned(), value);
        }
        Ok(Self(kept))
    }

    /// Returns the value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns every variable with its value, sorted by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
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
    use super::*;

    #[test]
    fn only_non_empty_variables_of_latchkey_are_kept() {
        let variables = EnvVars::from([("PORT", "1"), ("HOME", "/"), ("INIT_X", ""), ("LATCHKEY_A", "b")]);
        assert_eq!(variables.iter().collect::<Vec<_>>(), [("LATCHKEY_A", "b"), ("PORT", "1")]);
        assert_eq!((variables.get("PORT"), variables.get("INIT_X")), (Some("1"), None));
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
