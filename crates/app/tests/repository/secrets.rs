//! Every file that reveals a secret is listed in the documentation.

use std::collections::BTreeSet;

use crate::tree::{TextFile, text_files};

const DOCUMENT: &str = "docs/design/secrets.md";
const CALLS: &[&str] = &[".reveal()", "Secret::reveal", ".expose_secret()"];

#[test]
fn every_file_that_reveals_a_secret_is_listed() {
    let files = text_files();
    let revealing: BTreeSet<&str> =
        files.iter().filter(|file| reveals(file)).map(|file| file.path.as_str()).collect();
    let document = files.iter().find(|file| file.path == DOCUMENT).expect("the document");
    let rows = document.text.lines().filter_map(|line| line.strip_prefix("| `"));
    let listed: BTreeSet<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    let missing: Vec<_> = revealing.difference(&listed).collect();
    let outdated: Vec<_> = listed.difference(&revealing).collect();
    assert!(
        missing.is_empty() && outdated.is_empty(),
        "in {DOCUMENT}, add these files: {missing:?}, and remove these: {outdated:?}"
    );
}

/// Whether production code of the file reveals a secret. Unit tests stand at the end of a file or in files of their own.
fn reveals(file: &TextFile) -> bool {
    let is_production = file.has_extension("rs")
        && file.path.contains("/src/")
        && !["tests.rs", "/tests/"].iter().any(|part| file.path.contains(part))
        && !["crates/testkit/", "crates/storage-conformance/", "crates/bench/"]
            .iter()
            .any(|folder| file.path.starts_with(folder));
    let production = file.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    is_production && CALLS.iter().any(|call| production.contains(call))
}
