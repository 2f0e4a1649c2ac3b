//! Errors that stay are faults; errors that may pass are unavailability.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use latchkey_ports::{ProjectRepository, StoreError, TokenRepository};
use latchkey_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;

use super::fixtures::{NO_LIMIT, created, default_project, open, raw, settings, token};

#[tokio::test]
async fn a_missing_column_is_a_fault() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("a.db");
    let store = open(&path);
    raw(&path).batch_execute("ALTER TABLE projects RENAME COLUMN name TO title").expect("renamed");
    let refused = store.find_project(&default_project()).await;
    assert!(matches!(refused, Err(StoreError::Fault(_))), "{refused:?}");
}

#[tokio::test]
async fn a_violated_check_is_a_fault() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("a.db");
    let store = open(&path);
    let checked =
        "CREATE TRIGGER refused BEFORE INSERT ON api_tokens BEGIN SELECT raise(ABORT, 'refused'); END";
    raw(&path).batch_execute(checked).expect("a trigger");
    let refused = store.create_token(&token(1), NO_LIMIT, &created(&token(1))).await;
    assert!(matches!(refused, Err(StoreError::Fault(_))), "{refused:?}");
}

#[tokio::test]
async fn a_locked_database_is_unavailability() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("a.db");
    drop(open(&path));
    let settings = SqliteSettings { busy_timeout: Duration::from_millis(10), ..settings(&path) };
    let store = SqliteStore::open(settings).expect("opens");
    let mut other = raw(&path);
    other.batch_execute("BEGIN IMMEDIATE").expect("locked");
    let refused = store.create_token(&token(1), NO_LIMIT, &created(&token(1))).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}
