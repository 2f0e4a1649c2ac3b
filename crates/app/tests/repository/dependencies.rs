//! What the workspace depends on: everything that a manifest names is used, and `deny.toml` is kept.
//!
//! `cargo deny check` (`just deny`) does more: it also knows advisories, from a database on the network. Its licenses,
//! sources and bans are checked here with what `cargo metadata` says offline, so that every run of the tests does.

use std::{collections::BTreeSet, env, fs, process::Command};

use serde_json::Value;
use toml::Table;

use crate::{
    licenses,
    tree::{contains_words, root, text_files},
};

fn metadata() -> Value {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--all-features", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn list<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value[member].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}

fn toml_file(path: &str) -> Table {
    let text = fs::read_to_string(root().join(path)).expect("a readable file");
    text.parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn strings(table: &Table, section: &str, key: &str) -> BTreeSet<String> {
    let entries = table.get(section).and_then(|section| section.get(key)?.as_array());
    let entries = entries.unwrap_or_else(|| panic!("deny.toml has no {section}.{key}"));
    let name =
        |entry: &toml::Value| entry.as_str().or_else(|| entry.get("crate")?.as_str()).map(str::to_owned);
    entries.iter().filter_map(name).collect()
}

#[test]
fn licenses_sources_and_bans_are_those_of_deny_toml() {
    let rules = toml_file("deny.toml");
    let allowed = strings(&rules, "licenses", "allow");
    let banned = strings(&rules, "bans", "deny");
    let registries = strings(&rules, "sources", "allow-registry");
    let metadata = metadata();
    let mut problems = Vec::new();
    for package in list(&metadata, "packages") {
        let name = text(package, "name");
        let license = text(package, "license");
        if !licenses::is_allowed(license, &allowed) {
            problems.push(format!("{name}: license {license:?}"));
        }
        if banned.contains(name) {
            problems.push(format!("{name} is banned"));
        }
        if let Some(source) = package["source"].as_str() {
            let registry = source.strip_prefix("registry+").unwrap_or(source);
            if !registries.contains(registry) {
                problems.push(format!("{name} comes from {source}"));
            }
        }
    }
    assert!(problems.is_empty(), "deny.toml does not allow:\n{}", problems.join("\n"));
}

/// A manifest may list exceptions as `cargo machete` reads them: `[package.metadata.cargo-machete] ignored = [...]`.
#[test]
fn every_dependency_is_used() {
    let metadata = metadata();
    let files = text_files();
    let mut unused = Vec::new();
    for package in list(&metadata, "packages").iter().filter(|package| package["source"].is_null()) {
        let manifest = text(package, "manifest_path");
        let folder = manifest.strip_suffix("Cargo.toml").unwrap_or_default();
        let folder = folder.strip_prefix(&format!("{}/", root().display())).unwrap_or(folder);
        let own = files.iter().filter(|file| file.has_extension("rs") && file.path.starts_with(folder));
        let own: Vec<_> = own.collect();
        let ignored = list(&package["metadata"]["cargo-machete"], "ignored");
        for dependency in list(package, "dependencies") {
            let name = dependency["rename"].as_str().unwrap_or(text(dependency, "name"));
            if ignored.iter().any(|one| one == name) {
                continue;
            }
            let ident = name.replace('-', "_");
            if !own.iter().any(|file| file.text.contains(&ident) && contains_words(&file.text, &ident)) {
                unused.push(format!("{}: {name}", text(package, "name")));
            }
        }
    }
    assert!(unused.is_empty(), "these dependencies are not used:\n{}", unused.join("\n"));
}

#[test]
fn every_shared_version_is_used() {
    let workspace = toml_file("Cargo.toml");
    let shared = workspace["workspace"]["dependencies"].as_table().expect("shared versions");
    let manifests = text_files().into_iter().filter(|file| file.path.ends_with("/Cargo.toml"));
    let used: String = manifests.map(|file| file.text).collect();
    let is_used =
        |name: &str| [".workspace", " = {"].iter().any(|end| used.contains(&format!("\n{name}{end}")));
    let unused: Vec<&String> = shared.keys().filter(|name| !is_used(name)).collect();
    assert!(unused.is_empty(), "no crate uses these of [workspace.dependencies]: {unused:?}");
}
