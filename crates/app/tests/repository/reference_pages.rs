//! The pages of `docs/reference` are complete, and other pages name settings that exist.

use std::collections::BTreeSet;

use latchkey_domain::{EventKind, Permission};
use toml::Table;

use crate::tree::{TextFile, text_files};

fn page(files: &[TextFile], path: &str) -> String {
    let page = files.iter().find(|file| file.path == path);
    page.unwrap_or_else(|| panic!("there is no {path}")).text.clone()
}

/// What stands between backticks.
fn code(markdown: &str) -> BTreeSet<&str> {
    markdown.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_event_type_is_described() {
    let files = text_files();
    let page = page(&files, "docs/reference/events.md");
    let described = code(&page);
    let missing: Vec<_> = EventKind::ALL.iter().filter(|kind| !described.contains(kind.as_str())).collect();
    assert!(missing.is_empty(), "docs/reference/events.md lacks {missing:?}");
}

#[test]
fn every_permission_is_described_with_its_id() {
    let files = text_files();
    let page = page(&files, "docs/reference/permissions.md");
    for permission in Permission::ALL {
        let name = format!("`{}`", permission.as_str());
        let id = permission.id().to_string();
        let is_described = page.lines().any(|line| {
            line.starts_with('|')
                && line.contains(&name)
                && line.split(['|', ',', ' ']).any(|cell| cell == id)
        });
        assert!(is_described, "docs/reference/permissions.md lacks {name} with the id {id}");
    }
}

#[test]
fn settings_named_in_documents_exist() {
    let files = text_files();
    let example: Table = page(&files, "latchkey.example.toml").parse().expect("TOML");
    let mut unknown = Vec::new();
    for document in files.iter().filter(|file| file.has_extension("md")) {
        for name in code(&document.text) {
            let Some((section, key)) = name.split_once('.') else { continue };
            let key = key.split_once(" = ").map_or(key, |(key, _)| key);
            let Some(settings) = example.get(section).filter(|section| section.is_table()) else { continue };
            // `section.key`, `section.section.key`, or all keys of a section: `section.section.*`.
            let mut parts = key.split('.').take_while(|part| *part != "*");
            if parts.try_fold(settings, |settings, part| settings.get(part)).is_none() {
                unknown.push(format!("{}: {name}", document.path));
            }
        }
    }
    assert!(unknown.is_empty(), "latchkey.example.toml does not have:\n{}", unknown.join("\n"));
}
