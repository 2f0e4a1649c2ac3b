//! Tokens that are looked up.

use diesel::{sql_query, sql_types::Array};
use latchkey_sql::{
    columns::{DbId, DbTime, Id, UtcTime},
    queries::projects_of_tokens,
};
use uuid::Uuid;

use super::{large_store, plan, uses, uses_in_order};
use crate::token_queries::{
    RECORD_USE, count_tokens_of_all_projects, count_tokens_of_projects, end_of_retired_secret,
    token_by_digest, token_by_id, token_by_selector, tokens_by_ids, tokens_of_project_from,
};

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_found_by_indexes() {
    let (mut connection, _database) = large_store().await;
    let connection = &mut connection;

    for from in [Uuid::nil(), Uuid::from_u128(7)] {
        let tokens = plan(connection, tokens_of_project_from("project-7", DbId(from), 1_001)).await;
        uses(&tokens, &["api_token_projects_pkey", "api_tokens_id_unique", "api_token_projects_token_id"]);
    }

    let projects = plan(connection, projects_of_tokens(&[DbId(Uuid::from_u128(7))])).await;
    uses(&projects, &["api_token_projects_token_id"]);

    uses(&plan(connection, token_by_id(DbId(Uuid::from_u128(7)))).await, &["api_tokens_id_unique"]);
    uses(&plan(connection, token_by_selector("AAAAAAAAAAAAAAAAAAAAAA")).await, &["api_tokens_by_selector"]);
    uses_in_order(
        &plan(connection, tokens_by_ids(&[DbId(Uuid::from_u128(7))])).await,
        &["api_tokens_id_unique"],
    );
    uses(
        &plan(connection, count_tokens_of_projects(&["project-7", "project-8"])).await,
        &["project_token_parts_pkey"],
    );
    uses(&plan(connection, count_tokens_of_all_projects()).await, &["api_tokens_of_all_projects"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_found_by_indexes() {
    let (mut connection, _database) = large_store().await;
    let connection = &mut connection;
    let (digest, other) = ([0_u8; 32], [1_u8; 32]);
    let digests: [&[u8]; 2] = [&digest, &other];
    let indexes = ["api_tokens_secret_unique", "api_tokens_alias_unique", "retired_secrets_unique"];

    uses(&plan(connection, token_by_digest(&digests)).await, &indexes);
    let end = plan(connection, end_of_retired_secret(DbId(Uuid::from_u128(7)), &digests)).await;
    uses(&end, &["retired_secrets"]);

    let many: Vec<[u8; 32]> = (0..100_u32).map(digest_of).collect();
    let many: Vec<&[u8]> = many.iter().map(<[u8; 32]>::as_slice).collect();
    // The table of retired secrets is so small here that it is read as a whole.
    let batch = plan(connection, token_by_digest(&many)).await;
    assert!(!batch.contains("Seq Scan on api_tokens"), "{batch}");
    assert!(indexes.iter().take(2).all(|index| batch.contains(index)), "{batch}");
}

fn digest_of(number: u32) -> [u8; 32] {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&number.to_be_bytes());
    digest
}

#[tokio::test(flavor = "multi_thread")]
async fn used_tokens_are_found_by_id() {
    let (mut connection, _database) = large_store().await;
    let ids = vec![DbId(Uuid::from_u128(7)), DbId(Uuid::from_u128(8))];
    let moments = vec![DbTime(0); 2];
    let statement = sql_query(RECORD_USE).bind::<Array<Id>, _>(ids).bind::<Array<UtcTime>, _>(moments);
    uses(&plan(&mut connection, statement).await, &["api_tokens_id_unique"]);
}
