//! Databases to try the store on.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
    time::Duration,
};

use latchkey_postgres::{PostgresSettings, PostgresStore};
use latchkey_test_database::TestDatabase;

pub(crate) fn store_on(url: &str) -> PostgresStore {
    let settings = PostgresSettings {
        url: url.to_owned(),
        pool_size: 8,
        statement_timeout: Duration::from_secs(30),
        acquire_timeout: Duration::from_secs(30),
    };
    PostgresStore::connect(&settings).expect("a good URL")
}

/// A store on a database of its own, up to date.
pub(crate) async fn migrated() -> (PostgresStore, TestDatabase) {
    let database = TestDatabase::migrated(&migrations_key(), |url| async move {
        store_on(&url).migrate().await.expect("migrated");
    });
    (store_on(database.url()), database)
}

/// Another key as soon as any migration reads differently.
fn migrations_key() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../migrations/postgres");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the migrations")
        .map(|entry| entry.expect("an entry").path().join("up.sql"))
        .collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs::read(file).expect("a migration").hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}
