//! Where values come from: one layer for each source, in rising order of precedence.

use std::{fs, io::ErrorKind, path::Path};

use anyhow::{Context as _, anyhow, bail};
use config::{ConfigError, FileFormat, Map, Source, Value, ValueKind};

use super::{Environment, Overrides, known, reader::Reader};

/// The values of one source. Each carries its origin, so that an error can name it.
#[derive(Debug, Clone, Default)]
pub(super) struct Layer(Vec<(String, Value)>);

impl Layer {
    fn set(&mut self, key: String, origin: &str, value: impl Into<ValueKind>) {
        self.0.push((key, Value::new(Some(&origin.to_owned()), value)));
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.iter().cloned().collect())
    }
}

/// The built-in defaults.
pub(super) fn defaults() -> anyhow::Result<Layer> {
    of_toml(known::DEFAULTS, "default")
}

/// The built-in defaults alone.
pub(super) fn defaults_reader() -> anyhow::Result<Reader> {
    Ok(Reader(config::Config::builder().add_source(defaults()?).build()?))
}

/// The file that `--config` names, which must be there, or else `latchkey.toml`, which may be.
pub(super) fn file(named: Option<&Path>) -> anyhow::Result<Layer> {
    let path = named.unwrap_or(Path::new("latchkey.toml"));
    let shown = path.display().to_string();
    match fs::read_to_string(path) {
        Ok(text) => of_toml(&text, &shown),
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => Ok(Layer::default()),
        Err(error) => Err(error).with_context(|| format!("the configuration file {shown} cannot be read")),
    }
}

pub(super) fn of_toml(text: &str, origin: &str) -> anyhow::Result<Layer> {
    let tree = config::File::from_str(text, FileFormat::Toml)
        .collect()
        .map_err(|error| anyhow!("{origin} is not valid TOML: {}", without_quotation(&error)))?;
    let mut layer = Layer::default();
    for (section, value) in tree {
        let ValueKind::Table(table) = value.kind else {
            known::unknown_section(&section, origin)?;
            continue;
        };
        for (name, value) in table {
            known::check(&section, &name, origin)?;
            if matches!(value.kind, ValueKind::Table(_)) {
                bail!("bad value for {section}.{name} in {origin}: it must be a value, not a section");
            }
            layer.set(format!("{section}.{name}"), origin, value.kind);
        }
    }
    Ok(layer)
}

/// The parser's message has the faulty line in its middle, and that line may be the database's password.
fn without_quotation(error: &ConfigError) -> String {
    let ConfigError::FileParse { cause, .. } = error else {
        return error.to_string();
    };
    let message = cause.to_string();
    let lines: Vec<_> = message.lines().filter(|line| !line.trim().is_empty()).collect();
    match lines.as_slice() {
        [place, .., fault] => format!("{}: {fault}", place.trim_start_matches("TOML parse error ")),
        _ => message,
    }
}

/// `DATABASE_URL` and `PORT`, which hosting platforms set; below the variables of our own, which are more exact.
pub(super) fn platform(environment: &Environment) -> Layer {
    let mut layer = Layer::default();
    for (variable, key) in [("DATABASE_URL", "database.url"), ("PORT", "server.port")] {
        if let Some(value) = environment.get(variable) {
            layer.set(key.to_owned(), variable, value);
        }
    }
    layer
}

/// `LATCHKEY__SECTION__KEY`. Only names with the double underscore are ours: Kubernetes makes variables such as
/// `LATCHKEY_PORT` for a service of this name.
pub(super) fn environment(environment: &Environment) -> anyhow::Result<Layer> {
    let mut layer = Layer::default();
    for (variable, value) in environment.iter() {
        let Some(place) = variable.strip_prefix("LATCHKEY__") else { continue };
        let place = place.to_lowercase();
        let origin = format!("the environment variable {variable}");
        let Some((section, name)) = place.split_once("__") else {
            bail!("unknown key \"{place}\" in {origin}: write LATCHKEY__<SECTION>__<KEY>");
        };
        known::check(section, name, &origin)?;
        layer.set(format!("{section}.{name}"), variable, value);
    }
    Ok(layer)
}

/// The flags.
pub(super) fn flags(overrides: &Overrides) -> Layer {
    let flags = [
        ("server.listen", "--listen", overrides.listen.map(|address| address.to_string())),
        ("server.port", "--port", overrides.port.map(|port| port.to_string())),
        ("database.url", "--database-url", overrides.database_url.clone()),
        ("log.level", "--log-level", overrides.log_level.clone()),
        ("log.format", "--log-format", overrides.log_format.clone()),
    ];
    let mut layer = Layer::default();
    for (key, flag, value) in flags {
        if let Some(value) = value {
            layer.set(key.to_owned(), flag, value);
        }
    }
    layer
}
