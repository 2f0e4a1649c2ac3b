//! Tokens that are looked up.

use chrono::{DateTime, Utc};
use diesel::{
    sql_query,
    sql_types::{Array, Timestamptz},
};
use uuid::Uuid;

use super::{goes_by, much, plan, walks};
use crate::token_queries::{
    OfProject, RECORD_USE, count_tokens_of_all_projects, count_tokens_of_projects, retired_secret_end,
    token_by_digest, token_by_id, tokens_by_ids,
};

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_found_by_keys_alone() {
    let (mut connection, _database) = much().await;
    let connection = &mut connection;

    let tokens = plan(connection, OfProject("project-7")).await;
    walks(&tokens, &["api_token_projects_pkey", "api_tokens_id_unique", "api_token_projects_token_id"]);

    goes_by(&plan(connection, token_by_id(Uuid::from_u128(7))).await, &["api_tokens_id_unique"]);
    walks(&plan(connection, tokens_by_ids(&[Uuid::from_u128(7)])).await, &["api_tokens_id_unique"]);
    goes_by(
        &plan(connection, count_tokens_of_projects(&["project-7", "project-8"])).await,
        &["project_token_counts_pkey"],
    );
    goes_by(&plan(connection, count_tokens_of_all_projects()).await, &["api_tokens_of_all_projects"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_found_by_keys_alone() {
    let (mut connection, _database) = much().await;
    let connection = &mut connection;
    let (digest, other) = ([0_u8; 32], [1_u8; 32]);
    let digests: [&[u8]; 2] = [&digest, &other];
    let indexes = ["api_tokens_secret_unique", "api_tokens_alias_unique", "retired_secrets_unique"];

    goes_by(&plan(connection, token_by_digest(&digests)).await, &indexes);
    let end = plan(connection, retired_secret_end(Uuid::from_u128(7), &digests)).await;
    goes_by(&end, &["retired_secrets"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_seen_are_found_by_id() {
    let (mut connection, _database) = much().await;
    let ids = vec![Uuid::from_u128(7), Uuid::from_u128(8)];
    let moments = vec![DateTime::<Utc>::UNIX_EPOCH; 2];
    let statement = sql_query(RECORD_USE)
        .bind::<Array<diesel::sql_types::Uuid>, _>(ids)
        .bind::<Array<Timestamptz>, _>(moments);
    goes_by(&plan(&mut connection, statement).await, &["api_tokens_id_unique"]);
}
