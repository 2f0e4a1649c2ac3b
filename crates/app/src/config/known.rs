//! Which settings there are. The example file is the list: what is not in it is unknown.

use anyhow::bail;

/// The example file, which holds every key with its default.
pub(super) const DEFAULTS: &str = include_str!("../../../../latchkey.example.toml");

/// A setting's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
}

impl Key {
    pub(super) fn path(self) -> String {
        format!("{}.{}", self.section, self.name)
    }
}

/// Every key, in the order of the example file.
pub(super) fn keys() -> impl Iterator<Item = Key> {
    let mut section = "";
    DEFAULTS.lines().filter_map(move |line| {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
            return None;
        }
        let (name, _) = line.split_once(" = ")?;
        (!name.starts_with('#')).then_some(Key { section, name })
    })
}

/// Whether there is such a key.
///
/// # Errors
/// Names the key and what there is in its place; `origin` says where it was found.
pub(super) fn check(section: &str, name: &str, origin: &str) -> anyhow::Result<()> {
    let in_section: Vec<_> = keys().filter(|key| key.section == section).collect();
    if in_section.is_empty() {
        return unknown_section(section, origin);
    }
    if !in_section.iter().any(|key| key.name == name) {
        let names: Vec<_> = in_section.iter().map(|key| key.name).collect();
        bail!(
            "unknown key \"{section}.{name}\" in {origin}: the keys of [{section}] are {}",
            names.join(", ")
        );
    }
    Ok(())
}

/// The error of a section that is none.
pub(super) fn unknown_section(section: &str, origin: &str) -> anyhow::Result<()> {
    let mut sections: Vec<_> = keys().map(|key| key.section).collect();
    sections.dedup();
    if sections.contains(&section) {
        bail!("\"{section}\" in {origin} must be a section: write [{section}] and its keys below");
    }
    bail!("unknown section \"{section}\" in {origin}: the sections are {}", sections.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use config::{FileFormat, Source as _};

    use super::*;

    #[test]
    fn the_keys_are_those_that_a_toml_parser_sees() {
        let tree = config::File::from_str(DEFAULTS, FileFormat::Toml).collect().expect("TOML");
        let parsed: BTreeSet<String> = tree
            .into_iter()
            .flat_map(|(section, value)| {
                let table = value.into_table().expect("a section");
                table.into_keys().map(move |name| format!("{section}.{name}")).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(keys().map(Key::path).collect::<BTreeSet<_>>(), parsed);
        assert!(parsed.len() > 15, "{parsed:?}");
    }
}
