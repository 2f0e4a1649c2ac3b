//! The store passes the suite that says what a store is, with prepared statements and without.

use latchkey_storage_conformance::Fixture;

mod prepared {
    use super::Fixture;

    async fn fixture() -> Fixture {
        let (store, database) = crate::databases::migrated().await;
        Fixture::new(store).guarded_by(database)
    }

    latchkey_storage_conformance::suite!(fixture);
}

/// As behind a pooler in transaction mode; PgBouncer itself is in `crates/app/tests/black_box/pooled.rs`.
mod unnamed {
    use super::Fixture;

    async fn fixture() -> Fixture {
        let (store, database) = crate::databases::migrated_as_if_pooled().await;
        Fixture::new(store).guarded_by(database)
    }

    latchkey_storage_conformance::suite!(fixture);
}
