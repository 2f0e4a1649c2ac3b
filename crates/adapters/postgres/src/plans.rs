//! The plans that PostgreSQL makes for the statements that must stay fast with much in the tables.
//!
//! Unit tests, because they ask for the plans of the very statements that the store sends, which do not leave the crate.

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
use latchkey_test_database::TestDatabase;

use crate::{
    connection::Connection,
    store::{PostgresSettings, PostgresStore},
};

const MUCH: &str = include_str!("plans/much.sql");
const MIGRATIONS: [&str; 7] = [
    include_str!("../../../../migrations/postgres/0001_first_schema/up.sql"),
    include_str!("../../../../migrations/postgres/0002_access_model/up.sql"),
    include_str!("../../../../migrations/postgres/0003_member_counts/up.sql"),
    include_str!("../../../../migrations/postgres/0004_announced_events/up.sql"),
    include_str!("../../../../migrations/postgres/0006_token_attributes/up.sql"),
    include_str!("../../../../migrations/postgres/0007_event_subjects/up.sql"),
    include_str!("../../../../migrations/postgres/0008_login_names/up.sql"),
];

/// Tables of a few rows, which are best read whole.
const SMALL: [&str; 4] = ["environments", "environment_token_counts", "roles", "role_permissions"];

/// A statement whose plan is asked for, with its own binds.
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

/// By what a plan must go; and no large table is read whole.
#[track_caller]
fn goes_by(plan: &str, indexes: &[&str]) {
    for index in indexes {
        assert!(plan.contains(index), "{index} is not used:\n{plan}");
    }
    for (_, rest) in plan.match_indices("Seq Scan on ").map(|(at, found)| plan.split_at(at + found.len())) {
        let table = rest.split_whitespace().next().unwrap_or_default();
        assert!(SMALL.contains(&table), "{table} is read whole:\n{plan}");
    }
}

/// Besides, the order comes from an index, so that a page is read and nothing more.
#[track_caller]
fn walks(plan: &str, indexes: &[&str]) {
    goes_by(plan, indexes);
    assert!(!plan.contains("Sort"), "something is sorted:\n{plan}");
}

fn store_on(url: &str) -> PostgresStore {
    let settings = PostgresSettings {
        url: url.to_owned(),
        pool_size: 1,
        statement_timeout: Duration::from_secs(60),
        acquire_timeout: Duration::from_secs(60),
        transaction_pooler: false,
    };
    PostgresStore::connect(&settings).expect("a good URL")
}

async fn connection_to(url: &str) -> Connection {
    Object::take(store_on(url).connection().await.expect("connects"))
}

/// A database with much in it: made once, and cloned.
async fn much() -> (Connection, TestDatabase) {
    let mut hasher = DefaultHasher::new();
    (MIGRATIONS, MUCH).hash(&mut hasher);
    let database = TestDatabase::migrated(&format!("plans_{:016x}", hasher.finish()), |url| async move {
        store_on(&url).migrate().await.expect("migrates");
        connection_to(&url).await.batch_execute(MUCH).await.expect("much");
        // Statistics, and the map that lets an index answer alone, as a table in use has them.
        connection_to(&url).await.batch_execute("VACUUM ANALYZE").await.expect("statistics");
    });
    (connection_to(database.url()).await, database)
}
