//! The port of usage.

use std::ops::Range;

use async_trait::async_trait;
use diesel::{
    RunQueryDsl, SqliteConnection, sql_query,
    sql_types::{BigInt, Text},
};
use latchkey_domain::{Hour, TokenId, UseOutcome};
use latchkey_ports::{SeenAddress, StoreError, TokenUsage, UsageRepository, UsageScope, UseCount, UsedToken};
use latchkey_sql::{
    columns::{DbId, DbTime, Id, Int, UtcTime},
    errors::DbError,
    rows::{self, AddressRow, LastHourRow, UseCountRow, UsedTokenRow, use_counts},
    usage::{ADDRESSES, FORGOTTEN_AT_ONCE, LAST_HOURS, bound, hour, most_used, sum_by_hour},
};
use serde_json::{Value, json};

use crate::SqliteStore;

/// The one bind is JSON: `[["<id in hex>", <hour>, "<outcome>", <count>], …]`.
const ADD_COUNTS: &str = "\
    INSERT INTO token_usage (token_id, hour, outcome, count) \
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) \
    WHERE EXISTS (SELECT 1 FROM api_tokens WHERE id = unhex(value ->> 0)) \
    ON CONFLICT (token_id, hour, outcome) DO UPDATE SET count = count + excluded.count";
/// The one bind is JSON: `[["<id in hex>", "<address>", <milliseconds>], …]`.
const ADD_ADDRESSES: &str = "\
    INSERT INTO token_addresses (token_id, address, seen_at) \
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2 FROM json_each(?) \
    WHERE EXISTS (SELECT 1 FROM api_tokens WHERE id = unhex(value ->> 0)) \
    ON CONFLICT (token_id, address) DO UPDATE SET seen_at = max(seen_at, excluded.seen_at)";
/// Deletes all addresses but the last ones of each token. The binds are that of [`ADD_ADDRESSES`], and how many stay.
const DROP_ADDRESSES: &str = "\
    DELETE FROM token_addresses WHERE (token_id, address) IN (\
        SELECT token_id, address FROM (\
            SELECT token_id, address, row_number() OVER (PARTITION BY token_id ORDER BY seen_at DESC, address) AS place \
            FROM token_addresses WHERE token_id IN (SELECT unhex(value ->> 0) FROM json_each(?))) \
        WHERE place > ?)";
const FORGET_COUNTS: &str = "\
    DELETE FROM token_usage WHERE (token_id, hour, outcome) IN (\
        SELECT token_id, hour, outcome FROM token_usage WHERE hour < ? LIMIT ?)";
const FORGET_ADDRESSES: &str = "\
    DELETE FROM token_addresses WHERE (token_id, address) IN (\
        SELECT token_id, address FROM token_addresses WHERE seen_at < ? LIMIT ?)";

#[async_trait]
impl UsageRepository for SqliteStore {
    async fn record_usage(&self, usage: &[TokenUsage]) -> Result<(), StoreError> {
        let (mut counts, mut addresses) = (Vec::new(), Vec::new());
        for TokenUsage { token, counts: own, addresses: own_addresses } in usage {
            let id = token.as_uuid().simple().to_string();
            counts.extend(own.iter().map(|one| json!([id, one.hour.0, one.outcome.as_str(), one.count])));
            addresses.extend(
                own_addresses.iter().map(|one| json!([id, one.address.to_string(), one.seen_at.millis()])),
            );
        }
        let (counts, addresses) = (Value::from(counts).to_string(), Value::from(addresses).to_string());
        self.write(move |connection| record(connection, &counts, &addresses)).await
    }

    async fn usage(&self, scope: &UsageScope, hours: Range<Hour>) -> Result<Vec<UseCount>, StoreError> {
        let statement = bound(&sum_by_hour(scope), scope, hours);
        self.read(move |connection| {
            let rows: Vec<UseCountRow> = statement.load(connection)?;
            Ok(use_counts(rows)?)
        })
        .await
    }

    async fn most_used(
        &self,
        scope: &UsageScope,
        hours: Range<Hour>,
        limit: u32,
    ) -> Result<Vec<UsedToken>, StoreError> {
        let statement = bound(&most_used(scope), scope, hours).bind::<BigInt, _>(i64::from(limit));
        self.read(move |connection| {
            let rows: Vec<UsedTokenRow> = statement.load(connection)?;
            Ok(rows::all(rows)?)
        })
        .await
    }

    async fn last_hours(
        &self,
        outcome: UseOutcome,
        hours: Range<Hour>,
        after: Option<TokenId>,
        limit: u32,
    ) -> Result<Vec<(TokenId, Hour)>, StoreError> {
        let Some(first) = DbId::following(after) else { return Ok(Vec::new()) };
        self.read(move |connection| {
            let statement = sql_query(LAST_HOURS)
                .bind::<Text, _>(outcome.as_str())
                .bind::<Int, _>(hour(hours.start))
                .bind::<Int, _>(hour(hours.end))
                .bind::<Id, _>(first)
                .bind::<BigInt, _>(i64::from(limit));
            let rows: Vec<LastHourRow> = statement.load(connection)?;
            Ok(rows::all(rows)?)
        })
        .await
    }

    async fn addresses_of(&self, token: TokenId) -> Result<Vec<SeenAddress>, StoreError> {
        self.read(move |connection| {
            let statement = sql_query(ADDRESSES).bind::<Id, _>(DbId::from(token));
            let rows: Vec<AddressRow> = statement.load(connection)?;
            Ok(rows::all(rows)?)
        })
        .await
    }

    async fn forget_usage(&self, before: Hour) -> Result<u64, StoreError> {
        self.forget(move |connection| forget(connection, before)).await
    }
}

fn record(connection: &mut SqliteConnection, counts: &str, addresses: &str) -> Result<(), DbError> {
    sql_query(ADD_COUNTS).bind::<Text, _>(counts).execute(connection)?;
    sql_query(ADD_ADDRESSES).bind::<Text, _>(addresses).execute(connection)?;
    let stay = i64::try_from(SeenAddress::MAX).unwrap_or(i64::MAX);
    sql_query(DROP_ADDRESSES).bind::<Text, _>(addresses).bind::<BigInt, _>(stay).execute(connection)?;
    Ok(())
}

/// Deletes a portion of what is older than an hour, and returns the number of rows.
fn forget(connection: &mut SqliteConnection, before: Hour) -> Result<usize, DbError> {
    let at_once = i64::try_from(FORGOTTEN_AT_ONCE).unwrap_or(i64::MAX);
    let counts = sql_query(FORGET_COUNTS).bind::<Int, _>(hour(before)).bind::<BigInt, _>(at_once);
    let addresses = sql_query(FORGET_ADDRESSES)
        .bind::<UtcTime, _>(DbTime::from(before.start()))
        .bind::<BigInt, _>(at_once);
    Ok(counts.execute(connection)? + addresses.execute(connection)?)
}
