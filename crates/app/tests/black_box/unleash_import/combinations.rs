//! A database with every combination of what the rows of tokens have had, against a model of what Unleash accepts.

use std::{collections::BTreeMap, fmt::Write as _};

use latchkey_testkit::env::Store;

use super::{
    LAYOUT, Unleash, env,
    second_form::{creation_event, verifier},
    validated,
};

const PREFIXES: [&str; 5] =
    ["*:development.", "shop:development.", "[]:development.", "undefined:development.", ""];
const KINDS: [&str; 4] = ["client", "FRONTEND", "backend", "admin"];
const ENVIRONMENTS: [Option<&str>; 4] = [Some("development"), Some("retired"), Some("*"), None];
const PROJECTS: [&[&str]; 3] = [&[], &["shop"], &["shop", "blog"]];
const ENDS: [(&str, bool); 4] =
    [("NULL", true), ("'2001-01-01'", false), ("'2099-01-01'", true), ("'infinity'", true)];
/// What the events say of a token of the second form that is for all projects: that it was made so, that it had one, nothing.
const CREATIONS: [Option<&str>; 3] = [Some(r#"["*"]"#), Some(r#"["gone"]"#), None];
const PLACES: &str = "\
    INSERT INTO environments (name, type) VALUES ('development', 'development'), ('*', 'development'); \
    INSERT INTO projects (id, name) VALUES ('default', 'Default'), ('shop', 'Shop'), ('blog', 'Blog')";

/// A token, and what Unleash says of it; `None` for one that it does not accept.
struct Row {
    secret: String,
    insert: String,
    there: Option<String>,
    /// Whether Latchkey has no such token, which is said: an orphan, or a client for all environments.
    stays: bool,
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for prefix in PREFIXES {
        for kind in KINDS {
            for environment in ENVIRONMENTS {
                for projects in PROJECTS {
                    for (end, is_good) in ENDS {
                        rows.push(row(rows.len(), prefix, kind, environment, projects, end, is_good));
                    }
                }
            }
        }
    }
    for kind in KINDS {
        for environment in ["development", "*"] {
            for projects in PROJECTS {
                for (end, is_good) in ENDS {
                    for creation in CREATIONS {
                        let number = rows.len();
                        let row = second_form(number, kind, environment, projects, (end, is_good), creation);
                        rows.push(row);
                    }
                }
            }
        }
    }
    rows
}

/// A row of the second form. It has the digest of the secret, and names no prefix.
fn second_form(
    number: usize,
    kind: &str,
    environment: &str,
    projects: &[&str],
    (end, is_good): (&str, bool),
    creation: Option<&str>,
) -> Row {
    let selector = format!("{number:022}");
    let secret = format!("[]:development.v2_{selector}_{:r<43}", "");
    let mut insert = format!(
        "INSERT INTO api_tokens_v2 (selector, verifier, token_name, type, environment, expires_at) \
         VALUES ('{selector}', {}, 'number {number}', '{kind}', '{environment}', {end});",
        verifier(&secret)
    );
    for project in projects {
        write!(insert, "INSERT INTO api_tokens_v2_project VALUES ('{selector}', '{project}');")
            .expect("a text");
    }
    if let Some(creation) = creation {
        let in_event = number.is_multiple_of(2).then_some(selector.as_str());
        insert.push_str(&creation_event(&format!("number {number}"), in_event, environment, creation));
    }
    let is_orphan = projects.is_empty() && creation != Some(r#"["*"]"#);
    let scope = scope(kind, projects, environment);
    // The second form has no admin tokens.
    let there = (is_good && kind != "admin").then_some(scope);
    Row { secret, insert, there, stays: kind == "admin" || is_orphan || environment == "*" }
}

fn scope(kind: &str, projects: &[&str], environment: &str) -> String {
    let mut named = projects.to_vec();
    named.sort_unstable();
    let projects = if named.is_empty() { "*".to_owned() } else { named.join(",") };
    let kind = if kind == "FRONTEND" { "frontend" } else { "client" };
    format!("{kind} {projects}:{environment}")
}

fn row(
    number: usize,
    prefix: &str,
    kind: &str,
    environment: Option<&str>,
    projects: &[&str],
    end: &str,
    is_good: bool,
) -> Row {
    let secret = format!("{prefix}combination-number-{number:04}-0123456789abcdef");
    let environment_sql = environment.map_or("NULL".to_owned(), |name| format!("'{name}'"));
    let mut insert = format!(
        "INSERT INTO api_tokens (secret, username, type, environment, expires_at) \
         VALUES ('{secret}', 'number {number}', '{kind}', {environment_sql}, {end});"
    );
    for project in projects {
        write!(insert, "INSERT INTO api_token_project VALUES ('{secret}', '{project}');").expect("a text");
    }
    let is_admin = kind == "admin";
    let is_orphan = projects.is_empty() && !matches!(prefix, "" | "*:development.");
    let scope =
        if is_admin { "admin *:*".to_owned() } else { scope(kind, projects, environment.unwrap_or("*")) };
    let is_everywhere = matches!(environment, None | Some("*"));
    Row { secret, insert, there: is_good.then_some(scope), stays: !is_admin && (is_orphan || is_everywhere) }
}

fn what_was_good_is_good_and_nothing_else(store: Store) {
    let rows = rows();
    let inserts: Vec<&str> = rows.iter().map(|row| row.insert.as_str()).collect();
    let unleash = Unleash::of(&[LAYOUT, PLACES, &inserts.concat()]);
    let env = env(store);
    let said = env.run(&unleash.import("--report report.jsonl"));
    assert_eq!(said.code, Some(0), "{said:?}");
    let expected: BTreeMap<String, String> = rows
        .iter()
        .filter(|row| !row.stays)
        .filter_map(|row| Some((row.secret.clone(), row.there.clone()?)))
        .collect();
    let server = env.serve();
    let secrets: Vec<&str> = rows.iter().map(|row| row.secret.as_str()).collect();
    let found: BTreeMap<String, String> =
        secrets.chunks(500).flat_map(|secrets| validated(&server, secrets)).collect();
    assert_eq!(found, expected);
    let staying = rows.iter().filter(|row| row.stays).count();
    let report = std::fs::read_to_string(env.path("report.jsonl")).expect("the report");
    let named =
        report.lines().filter(|line| line.contains(r#""row":"API token""#) && line.contains("left out"));
    assert_eq!(named.count(), staying, "each token that stays behind is named");
    println!("{} tokens, {} of them good here and there, {staying} named", rows.len(), expected.len());
}

#[test]
fn what_was_good_is_good_and_nothing_else_on_sqlite() {
    what_was_good_is_good_and_nothing_else(Store::Sqlite);
}

#[test]
fn what_was_good_is_good_and_nothing_else_on_postgres() {
    what_was_good_is_good_and_nothing_else(Store::Postgres);
}
