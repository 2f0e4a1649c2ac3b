//! Every file and every public trait, type and function of the library crates says what it is. rustc's `missing_docs` would
//! also demand this of each field, whose name usually says it.

use crate::tree::text_files;

#[test]
fn modules_and_public_items_of_libraries_have_docstrings() {
    let mut missing = Vec::new();
    for file in text_files().iter().filter(|file| file.has_extension("rs") && is_library_source(&file.path)) {
        missing.extend(undocumented(&file.text).into_iter().map(|line| format!("{}:{line}", file.path)));
    }
    assert!(missing.is_empty(), "say what these are:\n{}", missing.join("\n"));
}

fn is_library_source(path: &str) -> bool {
    let is_source = path.starts_with("crates/") && path.contains("/src/");
    is_source && !path.starts_with("crates/app/") && !path.ends_with("tests.rs")
}

/// Returns the numbers of the lines with a public item that has no docstring, and 1 for a file that has none.
fn undocumented(text: &str) -> Vec<usize> {
    let mut missing = if text.lines().any(|line| line.starts_with("//!") || line.starts_with("#![doc")) {
        Vec::new()
    } else {
        vec![1]
    };
    let (mut has_docstring, mut is_in_trait, mut attribute_depth) = (false, false, 0);
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with("mod tests {") {
            break;
        }
        is_in_trait = (is_in_trait && line != "}") || line.starts_with("pub trait ");
        let line = line.trim_start();
        if line.starts_with("///") || line.starts_with("$(#[$") {
            has_docstring = true;
        } else if line.starts_with("#[") || attribute_depth > 0 {
            attribute_depth += line.matches('[').count();
            attribute_depth -= line.matches(']').count().min(attribute_depth);
        } else {
            if !has_docstring && (is_public_item(line) || (is_in_trait && is_function(line))) {
                missing.push(number);
            }
            has_docstring = false;
        }
    }
    missing
}

fn is_public_item(line: &str) -> bool {
    const ITEMS: &[&str] = &["trait ", "struct ", "enum ", "type "];
    line.strip_prefix("pub ")
        .is_some_and(|item| ITEMS.iter().any(|kind| item.starts_with(kind)) || is_function(item))
}

fn is_function(item: &str) -> bool {
    let item = item.strip_prefix("const ").unwrap_or(item);
    item.strip_prefix("async ").unwrap_or(item).starts_with("fn ")
}

#[test]
fn undocumented_items_are_found() {
    let bad = "\
pub struct A;
/// B.
#[derive(
    Debug,
)]
pub enum B {
    Variant,
}
impl B {
    pub async fn c() {}
    fn private() {}
    pub(crate) fn internal() {}
}
pub trait D {
    fn e();
    /// F.
    fn f();
}
fn private() {}
mod tests {
    pub fn g() {}
}
";
    assert_eq!(undocumented(bad), [1, 1, 10, 14, 15]);
    assert_eq!(undocumented("//! A file.\n/// A.\npub const fn a() {}\n"), Vec::<usize>::new());
}
