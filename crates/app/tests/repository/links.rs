//! Every relative link and anchor in a document resolves, and every path that a document or a comment names exists.

use std::collections::HashMap;

use crate::tree::{TextFile, root, text_files};

#[test]
fn relative_links_and_anchors_resolve() {
    let files = text_files();
    let documents: Vec<&TextFile> = files.iter().filter(|file| file.has_extension("md")).collect();
    let anchors: HashMap<&str, Vec<String>> =
        documents.iter().map(|file| (file.path.as_str(), anchors(&file.text))).collect();
    let mut broken = Vec::new();
    for document in &documents {
        for target in link_targets(&document.text) {
            if is_external(&target) {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = if path.is_empty() { document.path.clone() } else { resolve(&document.path, path) };
            let exists = root().join(&path).exists();
            let has_anchor = anchor.is_empty()
                || anchors.get(path.as_str()).is_none_or(|known| known.iter().any(|one| one == anchor));
            if !exists || !has_anchor {
                broken.push(format!("{}: {target}", document.path));
            }
        }
    }
    assert!(broken.is_empty(), "these links lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn paths_named_in_documents_exist() {
    let mut missing = Vec::new();
    for document in text_files().iter().filter(|file| file.has_extension("md")) {
        for code in inline_code(&document.text) {
            let is_path =
                ["crates/", "docs/", "migrations/", "deploy/"].iter().any(|top| code.starts_with(top));
            if !is_path || code.contains(['…', '<', ' ', '$']) {
                continue;
            }
            let missing_paths = expand_braces(&code).into_iter().filter(|path| !exists(path));
            missing.extend(missing_paths.map(|path| format!("{}: {path}", document.path)));
        }
    }
    assert!(missing.is_empty(), "these paths are named, and do not exist:\n{}", missing.join("\n"));
}

#[test]
fn documents_named_in_code_exist() {
    let mut missing = Vec::new();
    for file in text_files().iter().filter(|file| !file.has_extension("md")) {
        for (start, _) in file.text.match_indices("docs/") {
            let rest = file.text.get(start..).unwrap_or_default();
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "/_-.".contains(c)));
            let path = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let Some((path, _)) = path.rsplit_once(".md") else { continue };
            let path = format!("{path}.md");
            if !root().join(&path).exists() {
                missing.push(format!("{}: {path}", file.path));
            }
        }
    }
    assert!(missing.is_empty(), "these documents are named, and do not exist:\n{}", missing.join("\n"));
}

/// Links of the web, and of rustdoc (`crate::Item`).
fn is_external(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:") || target.contains("::")
}

/// The targets of inline links, images and link definitions.
fn link_targets(markdown: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for line in prose_lines(markdown) {
        let line = without_inline_code(line);
        for (start, _) in line.match_indices("](") {
            let rest = line.get(start + 2..).unwrap_or_default();
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            targets.push(target.to_owned());
        }
        if let Some((_, target)) = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
            targets.push(target.trim().to_owned());
        }
    }
    targets
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(markdown: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for line in prose_lines(markdown).filter(|line| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim().replace('`', "");
        let slug: String = heading
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let repeated = anchors.iter().filter(|known| **known == slug).count();
        anchors.push(if repeated == 0 { slug } else { format!("{slug}-{repeated}") });
    }
    anchors
}

/// The lines outside fenced code blocks.
fn prose_lines(markdown: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    markdown.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

fn without_inline_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

fn inline_code(markdown: &str) -> Vec<String> {
    prose_lines(markdown).flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// The target as a path from the root, seen from the document.
fn resolve(document: &str, target: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// `a/{b,c}/d` as `a/b/d` and `a/c/d`.
fn expand_braces(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else { return vec![path.to_owned()] };
    let Some((choices, after)) = rest.split_once('}') else { return vec![path.to_owned()] };
    choices.split(',').flat_map(|choice| expand_braces(&format!("{before}{choice}{after}"))).collect()
}

/// Whether the path exists; from a `*` on, only the folder before it is looked at.
fn exists(path: &str) -> bool {
    let fixed = path
        .split_once('*')
        .map_or(path, |(before, _)| before.rsplit_once('/').map_or("", |(folder, _)| folder));
    root().join(fixed).exists()
}

#[test]
fn the_checks_read_markdown() {
    let text = "# One `two`: three\n[a](b.md#c) `[no](link)` [d]( e\n```\n# no\n[no](code)\n```\n## One\n## One\n[x]: y.md\n";
    assert_eq!(link_targets(text), ["b.md#c", "", "y.md"]);
    assert_eq!(anchors(text), ["one-two-three", "one", "one-1"]);
    assert_eq!(inline_code(text), ["two", "[no](link)"]);
    assert_eq!(resolve("pages/design/a.md", "../guide/b.md"), "pages/guide/b.md");
    assert_eq!(expand_braces("a/{b,c}/d"), ["a/b/d", "a/c/d"]);
}
