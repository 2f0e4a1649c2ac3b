//! The plans that PostgreSQL makes for the statements that must stay fast with many tokens.
//!
//! A unit test, because it asks for the plans of the very statements that the store sends, which do not leave the crate.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_query,
    sql_types::{Array, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use latchkey_test_database::TestDatabase;
use uuid::Uuid;

use crate::{
    PostgresSettings, PostgresStore,
    token_queries::{RECORD_SEEN, by_digest, by_id, number_of_all_projects, number_of_project, of_project},
};

/// 20 000 tokens over 200 projects; every fourth names a second project, every hundredth is for all projects.
const MANY_TOKENS: &str = "
    INSERT INTO projects SELECT 'project-' || i, 'P', '', now() FROM generate_series(0, 199) AS i;
    INSERT INTO api_tokens (id, name, kind, all_projects, environment, created_at, secret_digest, secret_key)
    SELECT lpad(to_hex(i), 32, '0')::uuid, 'token', 'client', i % 100 = 0, 'development', now(),
        decode(lpad(to_hex(i), 64, '0'), 'hex'), '\\x00000000'
    FROM generate_series(0, 19999) AS i;
    INSERT INTO api_token_projects
    SELECT 'project-' || (i + step * 7) % 200, lpad(to_hex(i), 32, '0')::uuid, step
    FROM generate_series(0, 19999) AS i, generate_series(0, 1) AS step
    WHERE i % 100 <> 0 AND (step = 0 OR i % 4 = 0);";

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

async fn plan<Q: QueryFragment<Pg> + Send>(connection: &mut AsyncPgConnection, statement: Q) -> String {
    let lines: Vec<String> = Explained(statement).load(connection).await.expect("a plan");
    lines.join("\n")
}

/// Every statement's plan: by what it must go, and nothing is read whole.
#[track_caller]
fn goes_by(plan: &str, indexes: &[&str]) {
    for index in indexes {
        assert!(plan.contains(index), "{index} is not used:\n{plan}");
    }
    assert!(!plan.contains("Seq Scan"), "something is read whole:\n{plan}");
}

async fn database_with_many_tokens() -> (AsyncPgConnection, TestDatabase) {
    let database = TestDatabase::empty();
    let settings = PostgresSettings {
        url: database.url().to_owned(),
        pool_size: 1,
        statement_timeout: Duration::from_secs(60),
        acquire_timeout: Duration::from_secs(60),
    };
    let store = PostgresStore::connect(&settings).expect("a good URL");
    store.migrate().await.expect("migrates");
    let mut connection =
        diesel_async::pooled_connection::deadpool::Object::take(store.connection().await.expect("connects"));
    connection.batch_execute(MANY_TOKENS).await.expect("tokens");
    connection.batch_execute("ANALYZE").await.expect("statistics");
    (connection, database)
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_found_by_keys_alone() {
    let (mut connection, _database) = database_with_many_tokens().await;
    let connection = &mut connection;

    let tokens = plan(connection, of_project("project-7")).await;
    goes_by(&tokens, &["api_token_projects_pkey", "api_tokens_id_unique", "api_token_projects_token_id"]);
    assert!(!tokens.contains("Sort"), "the order comes from the key:\n{tokens}");

    goes_by(&plan(connection, by_id(Uuid::from_u128(7))).await, &["api_tokens_id_unique"]);
    let digest = [0_u8; 32];
    goes_by(
        &plan(connection, by_digest(&[&digest])).await,
        &["api_tokens_secret_unique", "api_tokens_alias_unique"],
    );
    goes_by(&plan(connection, number_of_project("project-7")).await, &["api_token_projects_pkey"]);
    goes_by(&plan(connection, number_of_all_projects()).await, &["api_tokens_of_all_projects"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_seen_are_found_by_id() {
    let (mut connection, _database) = database_with_many_tokens().await;
    let ids = vec![Uuid::from_u128(7), Uuid::from_u128(8)];
    let moments = vec![DateTime::<Utc>::UNIX_EPOCH; 2];
    let statement = sql_query(RECORD_SEEN)
        .bind::<Array<diesel::sql_types::Uuid>, _>(ids)
        .bind::<Array<Timestamptz>, _>(moments);
    goes_by(&plan(&mut connection, statement).await, &["api_tokens_id_unique"]);
}
