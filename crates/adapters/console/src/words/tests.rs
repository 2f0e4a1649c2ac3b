use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::*;

/// The catalogue that only languages other than English have.
const PROBLEMS: &str = "problems.ftl";

fn files(directory: &str, end: &str) -> Vec<PathBuf> {
    fn walk(directory: &Path, end: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, end, found);
            } else if path.to_string_lossy().ends_with(end) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory), end, &mut found);
    found
}

/// Returns the keys of a language and the names in the words of each.
fn keys(language: &str) -> BTreeSet<(String, String)> {
    let mut keys = BTreeSet::new();
    for path in files(&format!("locales/{language}"), ".ftl") {
        if path.ends_with(PROBLEMS) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a catalogue");
        let resource =
            FluentResource::try_new(text).unwrap_or_else(|(_, errors)| panic!("{path:?}: {errors:?}"));
        drop(resource);
        let text = fs::read_to_string(&path).expect("a catalogue");
        let mut key = String::new();
        for line in text.lines() {
            if let Some((name, _)) = line.split_once(" = ").filter(|_| line.starts_with(char::is_alphabetic))
            {
                key = name.to_owned();
                assert!(keys.insert((key.clone(), String::new())), "{language} has {key} twice");
            }
            for name in line.split("{ $").skip(1) {
                let name = name.split([' ', '}']).next().expect("a name");
                keys.insert((key.clone(), name.to_owned()));
            }
        }
    }
    keys
}

#[test]
fn every_language_has_the_same_words_with_the_same_names_in_them() {
    let english = keys("en");
    for words in Words::all() {
        assert_eq!(keys(words.tag), english, "{}", words.tag);
        for (key, _) in &english {
            assert!(words.has(key), "{key} is in no catalogue that {} reads", words.tag);
        }
    }
}

/// Every text in quotes in templates and sources that has the form of a key, and what such a text begins with.
#[test]
fn every_key_is_used_and_every_key_that_is_used_is_there() {
    let known: BTreeSet<_> = keys("en").into_iter().map(|(key, _)| key).collect();
    let mut texts = BTreeSet::new();
    for path in files("templates", ".html").into_iter().chain(files("src", ".rs")) {
        let text = fs::read_to_string(path).expect("a file");
        texts.extend(text.split('"').map(ToOwned::to_owned));
        for call in ["frame.t(\"", "frame.text(\"", "frame.number(\"", "words.get(\"", "words.with(\""] {
            for key in text.split(call).skip(1) {
                let key = key.split('"').next().expect("a key");
                assert!(known.contains(key), "there are no words for {key}");
            }
        }
    }
    for key in &known {
        let is_made = ["theme-", "state-", "moment-", "done-", "kind-", "permission-", "event-"]
            .iter()
            .any(|start| key.starts_with(start));
        assert!(is_made || texts.contains(key), "{key} is not used");
    }
}

/// The sources that name rules, in which a broken one is what identifies a message.
#[test]
fn every_rule_that_is_named_has_words_and_no_other() {
    const START: &str = "Rule::named(";
    let mut rules = BTreeSet::new();
    for directory in ["src", "../http/src", "../../service/src"] {
        for path in files(directory, ".rs").into_iter().filter(|path| !path.ends_with("tests.rs")) {
            let text = fs::read_to_string(path).expect("a file");
            let names = text.split(START).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
            rules.extend(names.map(|rest| rest.split('"').next().expect("a name").to_owned()));
        }
    }
    assert!(rules.contains("required"), "rules are found");
    for words in Words::all().iter().filter(|words| words.tag != "en") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales").join(words.tag).join(PROBLEMS);
        let text = fs::read_to_string(path).expect("a catalogue");
        if let Err((_, errors)) = FluentResource::try_new(text.clone()) {
            panic!("{}: {errors:?}", words.tag);
        }
        let keys = text.lines().filter_map(|line| line.strip_prefix("problem-")?.split(" = ").next());
        let known: Vec<_> = keys.map(ToOwned::to_owned).collect();
        assert_eq!(known.iter().collect::<BTreeSet<_>>().len(), known.len(), "none is there twice");
        assert_eq!(BTreeSet::from_iter(known), rules, "{}", words.tag);
    }
}

#[test]
fn a_browser_is_shown_a_language_that_it_asks_for() {
    let asked = |accepted: &'static str, chosen| {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, actix_web::http::header::HeaderValue::from_static(accepted));
        Words::asked(&headers, chosen).tag
    };
    assert_eq!(asked("fr-FR, de-AT;q=0.8, en;q=0.5", None), "de");
    assert_eq!(asked("fr", None), "en");
    assert_eq!(asked("de", Some("en")), "en");
    assert_eq!(asked("de", Some("xx")), "de");
}

#[test]
fn numbers_are_in_their_plural() {
    let [english, german] = Words::all() else { panic!("two languages") };
    assert_eq!(english.with("days", [("count", 1.into())]), "1 day");
    assert_eq!(german.with("moment-days-ago", [("count", 2.into())]), "vor 2 Tagen");
}
