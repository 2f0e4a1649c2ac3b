//! The effective configuration, printed as a file that could be read again.

use std::fmt::Write as _;

use config::{Value, ValueKind};

use super::{
    database_url::masked,
    known::{self, Key},
    reader::{Reader, text, texts},
};

/// Every key with its value and, as a comment, where the value comes from; passwords masked.
pub(super) fn toml(reader: &Reader) -> anyhow::Result<String> {
    let defaults = super::layers::defaults_reader()?;
    let mut printed = String::new();
    let mut section = "";
    for key in known::keys() {
        if key.section != section {
            let gap = if section.is_empty() { "" } else { "\n" };
            section = key.section;
            writeln!(printed, "{gap}[{section}]")?;
        }
        let value = reader.value(&key.path())?;
        let form = &defaults.value(&key.path())?.kind;
        let origin = value.origin().unwrap_or("?");
        writeln!(printed, "{} = {}  # {origin}", key.name, literal(key, value, form))?;
    }
    Ok(printed)
}

/// The value in the form that the key's default has: the environment knows only texts.
fn literal(key: Key, value: &Value, form: &ValueKind) -> String {
    let single = text(&value.kind).unwrap_or_default();
    match form {
        ValueKind::Array(_) => {
            let quoted: Vec<_> =
                texts(&value.kind).unwrap_or_default().iter().map(|text| quoted(text)).collect();
            format!("[{}]", quoted.join(", "))
        }
        // Read by now, in forms that TOML does not know: `TRUE`, `08080`.
        ValueKind::I64(_) => single.parse::<i64>().map_or(single, |number| number.to_string()),
        ValueKind::Boolean(_) => single.to_lowercase(),
        _ if key.path() == "database.url" => quoted(&masked(&single)),
        _ => quoted(&single),
    }
}

/// A basic string of TOML; JSON's escapes are among its own.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}
