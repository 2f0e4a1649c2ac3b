//! The sources of settings, in rising order of precedence.

use std::{fs, io::ErrorKind, path::Path};

use anyhow::{Context as _, anyhow, bail};
use config::{Config, ConfigError, FileFormat, Map, Source, Value, ValueKind};

use super::{declaration, env_vars::EnvVars, settings::SECTIONS, spelling, values::Values};

/// The value of a setting that a command-line flag sets.
#[derive(Debug, Clone)]
pub(crate) struct Flag {
    /// The flag, such as `--port`.
    pub(crate) name: &'static str,
    /// The setting, such as `server.port`.
    pub(crate) key: &'static str,
    pub(crate) value: String,
}

/// The values of one source. Each has its origin, so that errors can name it.
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

/// Reads the file that `--config` names, which must exist, or `latchkey.toml`, which need not.
pub(super) fn file(named: Option<&Path>) -> anyhow::Result<Layer> {
    let path = named.unwrap_or(Path::new("latchkey.toml"));
    let origin = path.display().to_string();
    match fs::read_to_string(path) {
        Ok(text) => toml(&text, &origin),
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => Ok(Layer::default()),
        Err(error) => Err(error).with_context(|| format!("the configuration file {origin} cannot be read")),
    }
}

pub(super) fn toml(text: &str, origin: &str) -> anyhow::Result<Layer> {
    let tree = config::File::from_str(text, FileFormat::Toml)
        .collect()
        .map_err(|error| anyhow!("{origin} is not valid TOML: {}", without_quotation(&error)))?;
    let mut layer = Layer::default();
    for (section, value) in tree {
        let ValueKind::Table(table) = value.kind else { bail!(unknown_section(&section, origin)) };
        add_section(&mut layer, &section, table, origin)?;
    }
    Ok(layer)
}

/// Adds the values of a section, and of the sections in it.
fn add_section(
    layer: &mut Layer,
    section: &str,
    table: Map<String, Value>,
    origin: &str,
) -> anyhow::Result<()> {
    for (name, value) in table {
        let key = format!("{section}.{name}");
        match value.kind {
            ValueKind::Table(table) if SECTIONS.iter().any(|known| known.name == key) => {
                add_section(layer, &key, table, origin)?;
            }
            kind => {
                check_key(section, &name, origin)?;
                if matches!(kind, ValueKind::Table(_)) {
                    bail!("bad value for {key} in {origin}: it must be a value, not a section");
                }
                layer.set(key, origin, kind);
            }
        }
    }
    Ok(())
}

/// Returns the parser's message without the faulty line that it quotes: the line can hold the database password.
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

/// Reads `DATABASE_URL` and `PORT`, which hosting platforms set, and what OpenTelemetry has variables for. Latchkey's own variables
/// take precedence.
fn platform(variables: &EnvVars) -> Layer {
    let mut layer = Layer::default();
    for (variable, key) in [
        ("DATABASE_URL", "database.url"),
        ("PORT", "server.port"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "traces.endpoint"),
        ("OTEL_TRACES_SAMPLER_ARG", "traces.sample_ratio"),
    ] {
        if let Some(value) = variables.get(variable) {
            layer.set(key.to_owned(), variables.origin(variable).unwrap_or(variable), value);
        }
    }
    layer
}

/// Reads `LATCHKEY__SECTION__KEY`.
fn environment(variables: &EnvVars) -> anyhow::Result<Layer> {
    spelling::check(variables)?;
    let mut layer = Layer::default();
    for (variable, value) in variables.iter() {
        let Some(key) = variable.strip_prefix("LATCHKEY__") else { continue };
        let key = key.to_lowercase();
        let origin = format!("the environment variable {variable}");
        let Some((section, name)) = key.rsplit_once("__") else {
            bail!("unknown key \"{key}\" in {origin}{}", spelling::suggestion(variable));
        };
        let section = section.replace("__", ".");
        check_key(&section, name, &origin)?;
        layer.set(format!("{section}.{name}"), variables.origin(variable).unwrap_or(variable), value);
    }
    Ok(layer)
}

fn flag_layer(flags: &[Flag]) -> Layer {
    let mut layer = Layer::default();
    for Flag { name, key, value } in flags {
        layer.set((*key).to_owned(), name, value.as_str());
    }
    layer
}

/// Fails for a key that does not exist; the error names the keys that do.
fn check_key(section: &str, name: &str, origin: &str) -> anyhow::Result<()> {
    let Some(known) = SECTIONS.iter().find(|known| known.name == section) else {
        bail!(unknown_section(section, origin));
    };
    let names: Vec<_> = known.settings.iter().map(|setting| setting.name).collect();
    if !names.contains(&name) {
        bail!(
            "unknown key \"{section}.{name}\" in {origin}: the keys of [{section}] are {}",
            names.join(", ")
        );
    }
    Ok(())
}

/// Returns the error for a top-level key that is not a section.
fn unknown_section(section: &str, origin: &str) -> anyhow::Error {
    let sections: Vec<_> = SECTIONS.iter().map(|section| section.name).collect();
    if sections.contains(&section) {
        return anyhow!("\"{section}\" in {origin} must be a section: write [{section}] and its keys below");
    }
    anyhow!("unknown section \"{section}\" in {origin}: the sections are {}", sections.join(", "))
}

/// Merges the defaults, a file, the environment and the flags.
pub(super) fn merge(file: Layer, variables: &EnvVars, flags: &[Flag]) -> anyhow::Result<Values> {
    let builder = Config::builder()
        .add_source(toml(&declaration::example(&SECTIONS), "default")?)
        .add_source(file)
        .add_source(platform(variables))
        .add_source(environment(variables)?)
        .add_source(flag_layer(flags));
    Ok(Values(builder.build()?))
}
