//! What the console does and what the API does are the same: every form stands for an operation, and every operation that changes
//! something has a form, or a reason to have none.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

/// Each line: a form, by its template and its path with `*` for what is not fixed, and the operations that it stands for.
const FORMS: &str = include_str!("actions/forms.txt");
/// Each line: an operation, and why the console has no form for it.
const WITHOUT: &str = include_str!("actions/without_form.txt");

fn lines(table: &str) -> impl Iterator<Item = &str> {
    table.lines().filter(|line| !(line.is_empty() || line.starts_with('#')))
}

/// Returns all forms that templates send by POST, as the table names them.
fn forms() -> BTreeSet<String> {
    fn walk(root: &Path, directory: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(root, &path, found);
                continue;
            }
            let text = fs::read_to_string(&path).expect("a template");
            let name = path.strip_prefix(root).expect("below it").display();
            for form in text.split(FORM).skip(1) {
                found.insert(format!("{name} {}", generic(form.split('"').next().expect("a path"))));
            }
            assert_eq!(text.matches("\"post\"").count(), text.matches(FORM).count(), "{name}: {FORM}");
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut found = BTreeSet::new();
    walk(&root, &root, &mut found);
    found
}

/// How every form begins.
const FORM: &str = "method=\"post\" action=\"";

/// Returns a path of a template with `*` in the place of each expression.
fn generic(path: &str) -> String {
    let mut text = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        text.push('*');
        rest = after.split_once("}}").expect("an end").1;
    }
    text + rest
}

/// Returns the ids of all operations that are no GET.
fn operations() -> BTreeSet<String> {
    let document = serde_json::to_value(latchkey_http::openapi()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let methods = paths.values().flat_map(|path| path.as_object().expect("methods"));
    let changes = methods.filter(|(method, _)| ["post", "put", "patch", "delete"].contains(&method.as_str()));
    changes
        .map(|(_, operation): (_, &Value)| operation["operationId"].as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn every_form_stands_for_operations_and_every_operation_has_a_form_or_a_reason() {
    let operations = operations();
    let mut covered: BTreeSet<_> =
        lines(WITHOUT).map(|line| line.split(' ').next().expect("an id").to_owned()).collect();
    let mut listed = BTreeSet::new();
    for line in lines(FORMS) {
        let mut words = line.split(' ');
        let (template, path) = (words.next().expect("a template"), words.next().expect("a path"));
        listed.insert(format!("{template} {path}"));
        covered.extend(words.filter(|id| *id != "-").map(ToOwned::to_owned));
    }
    assert_eq!(forms(), listed, "forms, and those in actions/forms.txt");
    for line in lines(WITHOUT) {
        let id = line.split(' ').next().expect("an id");
        assert!(!lines(FORMS).any(|form| form.split(' ').skip(2).any(|word| word == id)), "{id} has a form");
    }
    assert_eq!(covered, operations, "operations of the tables, and of the API");
}
