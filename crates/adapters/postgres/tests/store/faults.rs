//! Errors that stay are faults; errors that may pass are unavailability.

use std::time::Duration;

use latchkey_domain::{EventKind, ProjectId};
use latchkey_ports::{ProjectRepository, StoreError};
use latchkey_postgres::{PostgresSettings, PostgresStore};
use latchkey_storage_conformance::samples;
use tokio_postgres::Client;

use crate::databases::{connected, migrated, store_on};

fn default_project() -> ProjectId {
    ProjectId::new("default").expect("an id")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_column_is_a_fault() {
    let (store, database) = migrated().await;
    let client = connected(database.url()).await;
    client.batch_execute("ALTER TABLE projects RENAME COLUMN name TO title").await.expect("renamed");
    let refused = store.find_project(&default_project()).await;
    assert!(matches!(refused, Err(StoreError::Fault(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_privilege_is_a_fault() {
    let (_store, database) = migrated().await;
    let separator = if database.url().contains('?') { '&' } else { '?' };
    let reader = store_on(&format!("{}{separator}options=-c%20role%3Dpg_read_all_data", database.url()));
    assert!(reader.find_project(&default_project()).await.expect("may read").is_some());
    let event = samples::event(EventKind::ProjectCreated);
    let refused = reader.create_project(&samples::project("p"), &[], None, &event).await;
    assert!(matches!(refused, Err(StoreError::Fault(_))), "{refused:?}");
}

/// A store on a database in which another client has locked the projects.
async fn locked_out(database: &str, statement_timeout: Duration) -> (PostgresStore, Client) {
    let client = connected(database).await;
    client.batch_execute("BEGIN; LOCK TABLE projects IN ACCESS EXCLUSIVE MODE").await.expect("locked");
    let settings = PostgresSettings {
        pool_size: 2,
        statement_timeout,
        acquire_timeout: Duration::from_secs(30),
        ..PostgresSettings::new(database)
    };
    (PostgresStore::connect(&settings).expect("a good URL"), client)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_times_out_is_unavailability() {
    let (_store, database) = migrated().await;
    let (store, _client) = locked_out(database.url(), Duration::from_millis(50)).await;
    let refused = store.find_project(&default_project()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_ended_is_unavailability() {
    let (_store, database) = migrated().await;
    let (store, _client) = locked_out(database.url(), Duration::from_secs(60)).await;
    // A transaction would see the activity of its beginning, so this is another client.
    let client = connected(database.url()).await;
    let call = tokio::spawn(async move { store.find_project(&default_project()).await });
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while client.query(end, &[]).await.expect("looked").is_empty() {
        tokio::task::yield_now().await;
    }
    let refused = call.await.expect("no panic");
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}
