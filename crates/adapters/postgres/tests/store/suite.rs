//! The store passes the suite that says what a store is.

use latchkey_storage_conformance::Fixture;

async fn fixture() -> Fixture {
    let (store, database) = crate::databases::migrated().await;
    Fixture::new(store).guarded_by(database)
}

latchkey_storage_conformance::suite!(fixture);
