//! The environment variables, read once and handed on as a value, so that a test can bring its own.

use std::{collections::BTreeMap, env, ffi::OsString};

use anyhow::anyhow;

/// The variables that concern Latchkey, without the empty ones: `VARIABLE=` is how compose files and unit files say
/// that there is none.
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<String, String>);

/// Variables that are Latchkey's by their beginning.
const PREFIXES: [&str; 2] = ["LATCHKEY_", "INIT_"];
/// Variables that platforms set for programs of any kind.
const SHARED: [&str; 3] = ["DATABASE_URL", "PORT", "RUST_LOG"];

impl Environment {
    /// The variables of this process.
    ///
    /// # Errors
    /// Names a variable of Latchkey's that is not valid UTF-8.
    pub(crate) fn of_process() -> anyhow::Result<Self> {
        Self::read(env::vars_os())
    }

    fn read(variables: impl IntoIterator<Item = (OsString, OsString)>) -> anyhow::Result<Self> {
        let mut kept = BTreeMap::new();
        for (name, value) in variables {
            let Some(name) = name.to_str() else { continue };
            let is_ours = PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || SHARED.contains(&name);
            if !is_ours || value.is_empty() {
                continue;
            }
            let value = value
                .into_string()
                .map_err(|_| anyhow!("the environment variable {name} is not valid UTF-8"))?;
            kept.insert(name.to_owned(), value);
        }
        Ok(Self(kept))
    }

    /// The variable's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Every variable, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        let pairs = variables.map(|(name, value)| (name.into(), value.into()));
        Self::read(pairs).expect("text")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_ours_and_not_empty() {
        let environment =
            Environment::from([("PORT", "1"), ("HOME", "/"), ("INIT_X", ""), ("LATCHKEY_A", "b")]);
        assert_eq!(environment.iter().collect::<Vec<_>>(), [("LATCHKEY_A", "b"), ("PORT", "1")]);
        assert_eq!((environment.get("PORT"), environment.get("INIT_X")), (Some("1"), None));
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_no_text_is_named() {
        use std::os::unix::ffi::OsStringExt as _;
        let broken = || OsString::from_vec(vec![0xff]);
        let error = Environment::read([("DATABASE_URL".into(), broken())]).err().expect("no text");
        assert_eq!(error.to_string(), "the environment variable DATABASE_URL is not valid UTF-8");
        assert!(Environment::read([("SHELL".into(), broken()), (broken(), "x".into())]).is_ok());
    }
}
