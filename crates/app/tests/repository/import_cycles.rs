//! No file of a crate imports, by however many steps, a file that imports it.
//!
//! An edge leads from a file to the file that defines the item it names: re-exports are followed, and neither they nor
//! `mod` declarations are edges. Test code does not count.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::{
    rust_source::{self, Source},
    tree::{root, text_files},
};

/// The path of a module, from the root of its crate.
type Module = Vec<String>;

struct Crate {
    name: String,
    modules: BTreeMap<Module, (String, Source)>,
}

#[test]
fn no_files_of_a_crate_import_each_other_in_a_circle() {
    let mut report = Vec::new();
    for package in crates() {
        let graph = package.graph();
        for circle in circles(&graph) {
            report.push(format!("{}: {} files", package.name, circle.len()));
            for from in &circle {
                let targets = graph.get(from).into_iter().flatten().filter(|to| circle.contains(*to));
                let targets: Vec<&str> = targets.map(String::as_str).collect();
                report.push(format!("    {from} -> {}", targets.join(", ")));
            }
        }
    }
    assert!(report.is_empty(), "files import each other in a circle:\n{}", report.join("\n"));
}

fn crates() -> Vec<Crate> {
    let files = text_files();
    let manifests = files.iter().filter_map(|file| file.path.strip_suffix("/Cargo.toml"));
    manifests
        .filter(|folder| root().join(folder).join("src").is_dir())
        .map(|folder| {
            let source = format!("{folder}/src/");
            let modules = files
                .iter()
                .filter(|file| file.has_extension("rs"))
                .filter_map(|file| {
                    let module = module_of(file.path.strip_prefix(&source)?)?;
                    let short = file.path.strip_prefix(&source)?.to_owned();
                    Some((module, (short, rust_source::read(&file.text))))
                })
                .collect();
            Crate { name: folder.to_owned(), modules }
        })
        .collect()
}

/// The module that a file holds; `None` for programs in `bin`, which nothing imports.
fn module_of(path: &str) -> Option<Module> {
    let path = path.strip_suffix(".rs")?;
    let mut parts: Module = path.split('/').map(str::to_owned).collect();
    if parts.first().is_some_and(|first| first == "bin") {
        return None;
    }
    let is_root = parts.len() == 1 && ["lib", "main"].contains(&path);
    if is_root || parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    Some(parts)
}

impl Crate {
    /// The files that each file names items of.
    fn graph(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut graph = BTreeMap::new();
        for (module, (file, source)) in &self.modules {
            let private = source.imports.iter().filter(|import| !import.is_public).map(|import| {
                let mut path = import.path.clone();
                if import.name == "*" {
                    path.push("*".to_owned());
                }
                path
            });
            let targets = private.chain(source.paths.iter().cloned());
            let targets: BTreeSet<String> = targets
                .filter_map(|path| self.defining_file(module, &path, 0))
                .filter(|target| target != file)
                .collect();
            graph.insert(file.clone(), targets);
        }
        graph
    }

    /// The file that defines what a path names, seen from a module; `None` for what is outside the crate.
    fn defining_file(&self, from: &Module, path: &[String], depth: usize) -> Option<String> {
        const MAX_DEPTH: usize = 16;
        if depth > MAX_DEPTH {
            return None;
        }
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.item_in(&Vec::new(), rest, depth),
            "self" => self.item_in(from, rest, depth),
            "super" => {
                let parent = from.get(..from.len().checked_sub(1)?)?.to_vec();
                let next = rest.first().is_some_and(|next| next == "super");
                if next {
                    self.defining_file(&parent, rest, depth + 1)
                } else {
                    self.item_in(&parent, rest, depth)
                }
            }
            // A child module by its bare name. Names that were imported have their edge from the import.
            name => {
                let mut child = from.clone();
                child.push(name.to_owned());
                if self.modules.contains_key(&child) { self.item_in(&child, rest, depth) } else { None }
            }
        }
    }

    /// The file that defines the item at `path` in a module.
    fn item_in(&self, module: &Module, path: &[String], depth: usize) -> Option<String> {
        let (file, source) = self.modules.get(module)?;
        let Some((name, rest)) = path.split_first() else { return Some(file.clone()) };
        let mut child = module.clone();
        child.push(name.clone());
        if self.modules.contains_key(&child) {
            return self.item_in(&child, rest, depth);
        }
        if source.items.contains(name) || name == "*" {
            return Some(file.clone());
        }
        let named = source.imports.iter().find(|import| import.name == *name);
        if let Some(import) = named {
            // A foreign item that is imported here belongs to this file.
            return self.defining_file(module, &import.path, depth + 1).or_else(|| Some(file.clone()));
        }
        let globs = source.imports.iter().filter(|import| import.name == "*");
        let through_glob = globs.filter_map(|glob| {
            let target = self.module_at(module, &glob.path)?;
            let (_, source) = self.modules.get(&target)?;
            // A glob brings what the module defines or exports again, not what it imports for itself.
            let exports = source.imports.iter().any(|import| import.is_public && import.name == *name);
            let has_it = source.items.contains(name) || exports;
            if has_it { self.item_in(&target, path, depth + 1) } else { None }
        });
        // Items that a macro makes are not seen; they belong to the file of their module.
        through_glob.into_iter().next().or_else(|| Some(file.clone()))
    }

    /// The module that a path names.
    fn module_at(&self, from: &Module, path: &[String]) -> Option<Module> {
        let mut module = from.clone();
        for (at, part) in path.iter().enumerate() {
            match part.as_str() {
                "crate" => module = Module::new(),
                "self" if at == 0 => {}
                "super" => drop(module.pop()),
                name => module.push(name.to_owned()),
            }
        }
        self.modules.contains_key(&module).then_some(module)
    }
}

/// The sets of files that reach each other.
fn circles(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let closure: BTreeMap<&String, BTreeSet<&String>> =
        graph.keys().map(|start| (start, reachable(graph, start))).collect();
    let reaches = |from: &String, to: &String| closure.get(from).is_some_and(|all| all.contains(to));
    let mut circles: Vec<BTreeSet<String>> = Vec::new();
    for file in graph.keys().filter(|file| reaches(file, file)) {
        if !circles.iter().any(|circle| circle.contains(file)) {
            let circle = graph.keys().filter(|other| reaches(file, other) && reaches(other, file));
            circles.push(circle.cloned().collect());
        }
    }
    circles
}

fn reachable<'g>(graph: &'g BTreeMap<String, BTreeSet<String>>, start: &str) -> BTreeSet<&'g String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&String> = graph.get(start).into_iter().flatten().collect();
    while let Some(file) = open.pop() {
        if found.insert(file) {
            open.extend(graph.get(file).into_iter().flatten());
        }
    }
    found
}

#[test]
fn every_crate_is_read() {
    let crates = crates();
    let app = Path::new("crates/app");
    assert!(crates.iter().any(|package| Path::new(&package.name) == app), "crates/app is missing");
    for package in &crates {
        assert!(package.modules.contains_key(&Module::new()), "{} has no root", package.name);
    }
}

#[test]
fn edges_lead_to_the_file_that_defines_the_item() {
    let package = |files: &[(&str, &str)]| Crate {
        name: "sample".to_owned(),
        modules: files
            .iter()
            .map(|(path, text)| {
                (module_of(path).expect("a module"), ((*path).to_owned(), rust_source::read(text)))
            })
            .collect(),
    };
    let re_exported = package(&[
        ("lib.rs", "mod a; mod b; pub use a::One; pub use b::*;"),
        ("a.rs", "pub struct One; use crate::Two;"),
        ("b.rs", "pub struct Two;"),
    ]);
    assert!(circles(&re_exported.graph()).is_empty(), "re-exports are followed");
    let through_globs = package(&[
        ("lib.rs", "mod a; mod b; pub use self::{a::*, b::*};"),
        ("a.rs", "pub struct One; use crate::Two;"),
        ("b.rs", "pub struct Two; use crate::Two as Own;"),
    ]);
    assert!(circles(&through_globs.graph()).is_empty(), "a private import is not exported by a glob");
    let circular = package(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "pub struct One; use crate::b::Two;"),
        ("b.rs", "pub struct Two; fn f() { super::a::One; }"),
    ]);
    let files: Vec<Vec<String>> =
        circles(&circular.graph()).into_iter().map(|c| c.into_iter().collect()).collect();
    assert_eq!(files, [["a.rs", "b.rs"]]);
    let parent_and_child = package(&[
        ("lib.rs", "mod child; pub struct Item; fn f() { child::go(); }"),
        ("child.rs", "use super::Item; pub fn go() {}"),
    ]);
    assert_eq!(circles(&parent_and_child.graph()).len(), 1, "a child that needs its parent's items");
}
