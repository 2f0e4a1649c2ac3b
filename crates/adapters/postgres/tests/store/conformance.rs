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

/// Statements without names, as behind a pooler in transaction mode. Only their way to the server differs, so one case for
/// each kind of statement, bind and column is enough. PgBouncer itself is in `crates/app/tests/black_box/pooled.rs`.
mod unnamed {
    use latchkey_storage_conformance::area;

    use super::Fixture;

    async fn latchkey_conformance_fixture() -> Fixture {
        let (store, database) = crate::databases::migrated_as_if_pooled().await;
        Fixture::new(store).guarded_by(database)
    }

    // Moments, UUIDs, bytes, NULL and arrays, written and read.
    area!(tokens {
        every_kind_is_read_back,
        moments_of_all_years_are_read_back,
        projects_keep_their_order,
        a_token_is_found_by_any_of_several_digests,
    });
    // Conflicts by the name of the constraint.
    area!(token_refusals { the_order_of_refusals, a_digest_is_unique });
    // Lists with filters.
    area!(token_lists { by_everything_at_once });
    area!(event_queries { by_everything_at_once, old_events_are_forgotten });
    // JSON.
    area!(events { every_mutation_leaves_its_event, snapshots_are_read_back });
    // Batches and locks.
    area!(project_removal { each_token_meets_its_fate, many_tokens });
    area!(seen { a_big_batch_is_noted });
    area!(master_keys { a_sealed_secret_gets_under_another_key, a_big_batch });
    area!(master_key_counts { secrets_are_counted_by_key });
    area!(login_failures { several_keys_at_a_time, failures_are_forgotten });
    area!(sweep { everything_at_once });
    area!(memberships { several_users_get_several_roles });
    // Transactions of many callers, and callers that hang up.
    area!(quota_races { one_project });
    area!(removal_races { a_project_and_its_tokens });
    area!(dropped_futures { many_at_once });
}
