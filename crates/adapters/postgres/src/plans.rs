//! Query plans of the statements that must stay fast with large tables.
//!
//! Unit tests, because the statements that the store sends do not leave the crate.

mod events;
mod master_keys;
mod projects;
mod token_lists;
mod tokens;
mod users;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Text,
};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection, pooled_connection::deadpool::Object};
use latchkey_sql::migrations::POSTGRES_FINGERPRINT;
use latchkey_testkit::database::TestDatabase;

use crate::{
    connection::Connection,
    store::{PostgresSettings, PostgresStore},
};

const LARGE_STORE: &str = include_str!("plans/large_store.sql");

/// Tables of a few rows, which are best read whole.
const SMALL: [&str; 4] = ["environments", "environment_token_parts", "roles", "role_permissions"];

/// An `EXPLAIN` of a statement, with its binds.
struct Explained<Q>(Q);

impl<Q> QueryId for Explained<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> Query for Explained<Q> {
    type SqlType = Text;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Explained<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("EXPLAIN (COSTS OFF) ");
        self.0.walk_ast(out)
    }
}

async fn plan<Q: QueryFragment<Pg> + Send>(connection: &mut Connection, statement: Q) -> String {
    let lines: Vec<String> = Explained(statement).load(connection).await.expect("a plan");
    lines.join("\n")
}

/// Asserts that a plan uses these indexes and reads no large table as a whole.
#[track_caller]
fn uses(plan: &str, indexes: &[&str]) {
    for index in indexes {
        assert!(plan.contains(index), "{index} is not used:\n{plan}");
    }
    for (_, rest) in plan.match_indices("Seq Scan on ").map(|(at, found)| plan.split_at(at + found.len())) {
        let table = rest.split_whitespace().next().unwrap_or_default();
        assert!(SMALL.contains(&table), "{table} is read as a whole:\n{plan}");
    }
}

/// Asserts, in addition, that the order comes from an index, so that nothing but the page is read.
#[track_caller]
fn uses_in_order(plan: &str, indexes: &[&str]) {
    uses(plan, indexes);
    assert!(!plan.contains("Sort"), "something is sorted:\n{plan}");
}

fn store_on(url: &str) -> PostgresStore {
    let settings = PostgresSettings {
        pool_size: 1,
        statement_timeout: Duration::from_secs(60),
        acquire_timeout: Duration::from_secs(60),
        ..PostgresSettings::new(url)
    };
    PostgresStore::connect(&settings).expect("a good URL")
}

async fn connection_to(url: &str) -> Connection {
    Object::take(store_on(url).connection().await.expect("connects"))
}

/// Returns a database with large tables. It is filled once, and cloned.
async fn large_store() -> (Connection, TestDatabase) {
    let mut hasher = DefaultHasher::new();
    (POSTGRES_FINGERPRINT, LARGE_STORE).hash(&mut hasher);
    let database = TestDatabase::migrated(&format!("plans_{:016x}", hasher.finish()), |url| async move {
        store_on(&url).migrate().await.expect("migrates");
        connection_to(&url).await.batch_execute(LARGE_STORE).await.expect("rows");
        // Statistics, and the map that lets an index answer alone, as a table in use has them.
        connection_to(&url).await.batch_execute("VACUUM ANALYZE").await.expect("statistics");
    });
    (connection_to(database.url()).await, database)
}
