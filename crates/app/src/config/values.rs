//! The merged values of all sources, each with its origin.

use anyhow::{Context as _, bail};
use config::{Config, Value, ValueKind};

use super::{
    declaration::{Section, Setting},
    forms::Form,
};

/// The merged values of all sources.
pub(super) struct Values(pub(super) Config);

impl Values {
    /// Reads the value of a key.
    ///
    /// # Errors
    /// Names the key, the origin of its value and what is wrong with it.
    pub(super) fn read<T>(&self, key: &str, form: &Form<T>) -> anyhow::Result<T> {
        (form.read)(&self.find(key)?.0.kind).or_else(|problem| self.refuse(key, &problem))
    }

    /// Fails with what is wrong with the value of a key.
    pub(super) fn refuse<T>(&self, key: &str, problem: &str) -> anyhow::Result<T> {
        bail!("bad value for {key} in {}: {problem}", self.find(key)?.1)
    }

    /// Returns the value of a key and its origin. It is taken from the cache, because [`Config::get`] drops the origin.
    pub(super) fn find(&self, key: &str) -> anyhow::Result<(&Value, &str)> {
        let found = key.split('.').try_fold(&self.0.cache, |value, part| match &value.kind {
            ValueKind::Table(table) => table.get(part),
            _ => None,
        });
        let value = found.with_context(|| format!("there is no default for {key}"))?;
        Ok((value, value.origin().unwrap_or("?")))
    }

    /// Prints the values as a file that can be read again: each with its origin as a comment, passwords masked.
    pub(super) fn print(&self, sections: &[Section]) -> anyhow::Result<String> {
        let mut text = String::new();
        for Section { name, settings, .. } in sections {
            text.extend([if text.is_empty() { "[" } else { "\n[" }, name, "]\n"]);
            for Setting { key, name, print, .. } in settings {
                let (value, origin) = self.find(key)?;
                text.extend([name, " = ", &print(&value.kind), "  # ", origin, "\n"]);
            }
        }
        Ok(text)
    }
}
