//! Databases to try the store on.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use latchkey_postgres::{PostgresSettings, PostgresStore};
use latchkey_sql::migrations::POSTGRES_FINGERPRINT;
use latchkey_testkit::{cluster::connect, database::TestDatabase};
use tokio_postgres::Client;

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

/// Connects to a database without a store.
pub(crate) async fn connected(url: &str) -> Client {
    connect(url).await.expect("connected")
}

pub(crate) async fn run(client: &Client, statements: &str) {
    client.batch_execute(statements).await.expect("done");
}

/// Waits until so many transactions of the database wait for a lock. `client` must not be in a transaction, which would see the
/// activity of its beginning.
pub(crate) async fn until_waiting(client: &Client, transactions: i64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while client.query_one(waiting, &[]).await.expect("counted").get::<_, i64>(0) < transactions {}
}
