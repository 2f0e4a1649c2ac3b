//! Databases to try the store on.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use latchkey_postgres::{PostgresSettings, PostgresStore};
use latchkey_sql::migrations::POSTGRES_FINGERPRINT;
use latchkey_testkit::database::TestDatabase;

pub(crate) fn store_on(url: &str) -> PostgresStore {
    store(url, false)
}

fn store(url: &str, transaction_pooler: bool) -> PostgresStore {
    let settings = PostgresSettings {
        statement_timeout: Duration::from_secs(30),
        acquire_timeout: Duration::from_secs(30),
        transaction_pooler,
        ..PostgresSettings::new(url)
    };
    PostgresStore::connect(&settings).expect("a good URL")
}

/// A store on a database of its own, up to date.
pub(crate) async fn migrated() -> (PostgresStore, TestDatabase) {
    let database = migrated_database();
    (store_on(database.url()), database)
}

/// The same as behind a pooler in transaction mode. That there need not be one here; what differs are the statements.
pub(crate) async fn migrated_as_if_pooled() -> (PostgresStore, TestDatabase) {
    let database = migrated_database();
    (store(database.url(), true), database)
}

fn migrated_database() -> TestDatabase {
    TestDatabase::migrated(POSTGRES_FINGERPRINT, |url| async move {
        store_on(&url).migrate().await.expect("migrated");
    })
}

/// The folders of the migrations, in order.
pub(crate) fn migration_folders() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../migrations/postgres");
    let entries = fs::read_dir(folder).expect("the migrations");
    let mut folders: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    folders
}
