//! The words of the repository: nothing refers to a document that is not in it, and indefinite pronouns stay rare.

use crate::tree::{TextFile, contains_words, text_files};

/// Documents that earlier texts referred to, and constants that are `MAX_` and `MIN_` now.
const FORBIDDEN: &[&str] = &[
    "the seed",
    "the contract",
    "(contract,",
    "reference, chapter",
    "design, rule",
    " contract.md",
    "/contract.md",
    " reference.md",
    "/reference.md",
    "glossary.md",
    "unleash-8.md",
    "golden/readme.md",
    "contract, first lines",
    "chapter on defects",
    "/work/shared",
];
const FORBIDDEN_PREFIXES: &[&str] = &["MOST_", "LEAST_"];

/// How many indefinite pronouns the whole tree may have, decision records aside.
const MAX_PRONOUNS: usize = 59;
/// Split, so that this file does not count.
const PRONOUNS: &[&str] = &[
    concat!("some", "body"),
    concat!("no", "body"),
    concat!("who", "ever"),
    concat!("every", "body"),
    concat!("every", "one"),
];

/// Files that are not prose of ours: this list of phrases, a list of passwords, recorded versions of dependencies.
fn is_exempt(file: &TextFile) -> bool {
    file.path.ends_with("tests/repository/wording.rs")
        || file.path.ends_with("commonest_passwords.txt")
        || file.path == "Cargo.lock"
}

#[test]
fn nothing_refers_to_a_document_outside_the_repository() {
    let mut found = Vec::new();
    for file in text_files().iter().filter(|file| !is_exempt(file)) {
        for (number, line) in (1..).zip(file.text.lines()) {
            for phrase in FORBIDDEN.iter().filter(|phrase| contains_words(line, phrase)) {
                found.push(format!("{}:{number}: {phrase:?}", file.path));
            }
            if names_an_issue(line) {
                found.push(format!("{}:{number}: the number of an issue", file.path));
            }
        }
    }
    assert!(
        found.is_empty(),
        "{} lines refer to a document that is not in the repository; name docs/reference/wire-contract.md, a page of \
         docs/design or an RFC instead:\n{}",
        found.len(),
        found.join("\n")
    );
}

/// Whether the line says "issue" and a number.
fn names_an_issue(line: &str) -> bool {
    let line = line.to_lowercase();
    let mut after = line.split("issue ").skip(1);
    after.any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[test]
fn bounds_are_named_max_and_min() {
    let mut found = Vec::new();
    for file in text_files().iter().filter(|file| file.has_extension("rs") && !is_exempt(file)) {
        for (number, line) in (1..).zip(file.text.lines()) {
            let words = line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            for word in words.filter(|word| FORBIDDEN_PREFIXES.iter().any(|prefix| word.starts_with(prefix)))
            {
                found.push(format!("{}:{number}: {word}", file.path));
            }
        }
    }
    assert!(found.is_empty(), "name these MAX_… or MIN_…:\n{}", found.join("\n"));
}

#[test]
fn indefinite_pronouns_are_rare() {
    let mut counts: Vec<(usize, String)> = text_files()
        .into_iter()
        .filter(|file| !is_exempt(file) && !file.path.starts_with("docs/design/decisions/"))
        .map(|file| {
            let text = file.text.to_lowercase();
            (PRONOUNS.iter().map(|word| text.matches(word).count()).sum(), file.path)
        })
        .filter(|(count, _)| *count > 0)
        .collect();
    counts.sort_by(|a, b| b.cmp(a));
    let total: usize = counts.iter().map(|(count, _)| count).sum();
    let files: Vec<String> = counts.iter().map(|(count, path)| format!("{count:4}  {path}")).collect();
    assert!(
        total <= MAX_PRONOUNS,
        "{total} indefinite pronouns, at most {MAX_PRONOUNS} are allowed; name the user, operator, caller or client \
         instead:\n{}",
        files.join("\n")
    );
}

#[test]
fn source_files_have_at_most_400_lines() {
    let long: Vec<String> = text_files()
        .iter()
        .filter(|file| file.has_extension("rs"))
        .map(|file| (file.text.lines().count(), &file.path))
        .filter(|(lines, _)| *lines > 400)
        .map(|(lines, path)| format!("{lines}  {path}"))
        .collect();
    assert!(long.is_empty(), "divide these files:\n{}", long.join("\n"));
}
