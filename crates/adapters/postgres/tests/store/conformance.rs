//! The store passes the conformance suite.

use latchkey_storage_conformance::Fixture;

mod prepared {
    use super::Fixture;

    async fn fixture() -> Fixture {
        let (store, database) = crate::databases::migrated().await;
        Fixture::new(store).guarded_by(database)
    }

    latchkey_storage_conformance::suite!(fixture);
}

/// Statements without names, as behind a pooler in transaction mode. Only their way to the server differs, so the modules
/// with each kind of statement, bind and column are enough: times, UUIDs, bytes, NULL and arrays, JSON, conflicts by the name
/// of the constraint, lists with filters, batches and locks, and callers that hang up. `PgBouncer` itself is in
/// `crates/app/tests/black_box/pooled.rs`.
mod unnamed {
    use super::Fixture;

    async fn fixture() -> Fixture {
        let (store, database) = crate::databases::migrated_as_if_pooled().await;
        Fixture::new(store).guarded_by(database)
    }

    latchkey_storage_conformance::suite!(
        fixture,
        only: [tokens, token_batches, token_filters, rotation, events, feed, event_queries, master_keys, memberships, login_failures, cancellation]
    );
}
