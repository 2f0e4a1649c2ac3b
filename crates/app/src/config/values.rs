//! The merged values of all sources, each with its origin.

use std::fmt;

use anyhow::{Context as _, bail};
use config::{Config, Value, ValueKind};

use super::{
    declaration::{Section, Setting},
    forms::Form,
};

/// The settings in effect.
#[derive(Debug)]
pub(crate) struct Effective(Vec<EffectiveSetting>);

/// A setting in effect.
#[derive(Debug)]
pub(crate) struct EffectiveSetting {
    pub(crate) section: &'static str,
    pub(crate) name: &'static str,
    /// The value as TOML, passwords masked.
    pub(crate) value: String,
    /// Where it comes from.
    pub(crate) origin: String,
}

impl Effective {
    /// Returns the settings, in the order of their declaration.
    pub(crate) fn settings(&self) -> &[EffectiveSetting] {
        &self.0
    }
}

/// A file that can be read again: each setting with its origin as a comment.
impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut begun = None;
        for EffectiveSetting { section, name, value, origin } in &self.0 {
            if begun != Some(section) {
                let separator = if begun.is_none() { "" } else { "\n" };
                writeln!(f, "{separator}[{section}]")?;
                begun = Some(section);
            }
            writeln!(f, "{name} = {value}  # {origin}")?;
        }
        Ok(())
    }
}

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

    /// Returns the values of all settings with their origins.
    pub(super) fn effective(&self, sections: &[Section]) -> anyhow::Result<Effective> {
        let all = sections.iter().flat_map(|section| {
            section.settings.iter().map(|Setting { key, name, print, .. }| {
                let (value, origin) = self.find(key)?;
                let (value, origin) = (print(&value.kind), origin.to_owned());
                Ok(EffectiveSetting { section: section.name, name, value, origin })
            })
        });
        all.collect::<anyhow::Result<_>>().map(Effective)
    }
}
