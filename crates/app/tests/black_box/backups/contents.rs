//! What a backup has: every table and column, and those of older schemas.

use latchkey_testkit::env::Store;

use super::{env, rows};
use crate::database::Records;

/// A backup with schema 9, and what is in it.
const OF_SCHEMA_9: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/black_box/backups/schema-9.jsonl");
const CLIENT_OF_SCHEMA_9: &str = "default:development.a-client-of-an-older-version-0123456789";

fn a_backup_of_an_older_schema_is_brought_up_to_date(store: Store) {
    let env = env(store);
    env.succeed(&format!("restore {OF_SCHEMA_9}"));
    assert!(env.run("migrate").stderr.contains("up to date"));
    let server = env.serve();
    assert_eq!(server.status("/auth/verify", CLIENT_OF_SCHEMA_9), 200);
    assert_eq!(server.tokens().len(), 1, "the client");
    let newer = super::env(store).migrated();
    let error = newer.fail(&format!("restore {OF_SCHEMA_9}"), 1);
    assert!(error.contains("it has the schema 9, and the database has"), "{error}");
    assert!(error.contains("already: name a data"), "{error}");
}

#[test]
fn a_backup_of_an_older_schema_is_brought_up_to_date_on_sqlite() {
    a_backup_of_an_older_schema_is_brought_up_to_date(Store::Sqlite);
}

#[test]
fn a_backup_of_an_older_schema_is_brought_up_to_date_on_postgres() {
    a_backup_of_an_older_schema_is_brought_up_to_date(Store::Postgres);
}

/// Tables that are derived from others, and those that diesel and SQLite keep.
const DERIVED: [&str; 8] = [
    "environment_token_counts",
    "project_token_counts",
    "environment_token_parts",
    "project_token_parts",
    "project_member_counts",
    "last_made_role",
    "__diesel_schema_migrations",
    "sqlite_",
];
/// Tables whose rows are of the moment.
const TRANSIENT: [&str; 1] = ["replicas."];
/// Columns that are derived.
const GENERATED: [&str; 4] =
    ["api_tokens.ends_at", "api_tokens.used_at", "api_tokens.enabled", "api_tokens.owner"];

fn every_table_and_column_is_in_a_backup(store: Store) {
    let env = env(store);
    env.succeed("migrate");
    let (header, _) = rows(&env, "all.jsonl");
    let mut archived: Vec<String> = Vec::new();
    for table in header.as_array().expect("tables") {
        let columns = table["columns"].as_array().expect("columns").iter();
        let name = table["name"].as_str().expect("a name");
        archived.extend(columns.map(|column| format!("{name}.{}", column["name"].as_str().expect("a name"))));
    }
    archived.retain(|column| !column.starts_with("sequences."));
    if store == Store::Postgres {
        archived.retain(|column| column != "api_tokens.named_projects");
    }
    let mut stored = Records::of(&env).texts(match store {
        Store::Postgres => {
            "SELECT table_name || '.' || column_name AS value FROM information_schema.columns JOIN \
             information_schema.tables USING (table_schema, table_name) \
             WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        }
        _ => {
            "SELECT tables.name || '.' || columns.name AS value FROM sqlite_schema AS tables, \
             pragma_table_xinfo(tables.name) AS columns WHERE tables.type = 'table'"
        }
    });
    stored.retain(|column| !DERIVED.iter().chain(&TRANSIENT).any(|table| column.starts_with(table)));
    stored.retain(|column| !GENERATED.contains(&column.as_str()));
    stored.sort();
    archived.sort();
    assert_eq!(archived, stored, "what a backup has (left) and what the database has (right)");
}

#[test]
fn every_table_and_column_is_in_a_backup_on_sqlite() {
    every_table_and_column_is_in_a_backup(Store::Sqlite);
}

#[test]
fn every_table_and_column_is_in_a_backup_on_postgres() {
    every_table_and_column_is_in_a_backup(Store::Postgres);
}
