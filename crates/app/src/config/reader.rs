//! Turning what the layers say into typed values, with errors that name the key and where its value came from.

use std::fmt::Display;

use anyhow::{Context as _, anyhow, bail};
use config::{Config, Value, ValueKind};

/// The layered values.
pub(super) struct Reader(pub(super) Config);

impl Reader {
    /// The value of a key, read by a function.
    pub(super) fn read<T, E: Display>(
        &self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> anyhow::Result<T> {
        let value = self.value(key)?;
        let origin = value.origin().unwrap_or("?").to_owned();
        let Some(text) = text(&value.kind) else {
            bail!("bad value for {key} in {origin}: it must be a single value");
        };
        parse(&text).map_err(|error| anyhow!("bad value for {key} in {origin}: {error}"))
    }

    /// The values of a key that holds a list, each read by a function: an array, or one text with commas.
    pub(super) fn read_list<T, E: Display>(
        &self,
        key: &str,
        mut parse: impl FnMut(&str) -> Result<T, E>,
    ) -> anyhow::Result<Vec<T>> {
        let value = self.value(key)?;
        let origin = value.origin().unwrap_or("?").to_owned();
        let Some(texts) = texts(&value.kind) else {
            bail!("bad value for {key} in {origin}: it must be a list of texts");
        };
        let parsed = texts
            .iter()
            .map(|text| parse(text).map_err(|error| anyhow!("bad value for {key} in {origin}: {error}")));
        parsed.collect()
    }

    /// The value of a key as it is. Taken from the cache, because a value that was asked for in the usual way has
    /// forgotten its origin.
    pub(super) fn value(&self, key: &str) -> anyhow::Result<&Value> {
        let found = key.split('.').try_fold(&self.0.cache, |value, part| match &value.kind {
            ValueKind::Table(table) => table.get(part),
            _ => None,
        });
        found.with_context(|| format!("there is no default for {key}"))
    }
}

/// Only what is written the same in every source: `true` is no port, and neither is `1.5`.
pub(super) fn text(kind: &ValueKind) -> Option<String> {
    match kind {
        ValueKind::String(text) => Some(text.clone()),
        ValueKind::I64(number) => Some(number.to_string()),
        ValueKind::U64(number) => Some(number.to_string()),
        ValueKind::Boolean(truth) => Some(truth.to_string()),
        ValueKind::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(super) fn texts(kind: &ValueKind) -> Option<Vec<String>> {
    match kind {
        ValueKind::Array(values) => values.iter().map(|value| text(&value.kind)).collect(),
        single => {
            let text = text(single)?;
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Some(parts.map(str::to_owned).collect())
        }
    }
}
