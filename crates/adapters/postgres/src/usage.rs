//! The port of usage.

use std::ops::Range;

use async_trait::async_trait;
use diesel::{
    sql_query,
    sql_types::{Array, BigInt, Text},
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{Hour, TokenId, UseOutcome};
use latchkey_ports::{SeenAddress, StoreError, TokenUsage, UsageRepository, UsageScope, UseCount, UsedToken};
use latchkey_sql::{
    columns::{DbId, DbInt, DbTime, Id, Int, UtcTime},
    errors::{DbError, store_error},
    rows::{self, AddressRow, LastHourRow, UseCountRow, UsedTokenRow, use_counts},
    usage::{ADDRESSES, FORGOTTEN_AT_ONCE, LAST_HOURS, bound, hour, most_used, sum_by_hour},
};

use crate::{PostgresStore, connection::Connection, locks::lock_tokens};

const ADD_COUNTS: &str = "\
    INSERT INTO token_usage AS kept (token_id, hour, outcome, count) \
    SELECT * FROM unnest($1, $2, $3, $4) \
    ON CONFLICT (token_id, hour, outcome) DO UPDATE SET count = kept.count + excluded.count";
const ADD_ADDRESSES: &str = "\
    INSERT INTO token_addresses AS kept (token_id, address, seen_at) SELECT * FROM unnest($1, $2, $3) \
    ON CONFLICT (token_id, address) DO UPDATE SET seen_at = greatest(kept.seen_at, excluded.seen_at)";
/// Deletes all addresses but the last ones of each token.
const DROP_ADDRESSES: &str = "\
    WITH ranked AS (\
        SELECT token_id, address, row_number() OVER (PARTITION BY token_id ORDER BY seen_at DESC, address) AS place \
        FROM token_addresses WHERE token_id = ANY($1)) \
    DELETE FROM token_addresses AS kept USING ranked \
    WHERE ranked.place > $2 AND kept.token_id = ranked.token_id AND kept.address = ranked.address";
const FORGET_COUNTS: &str = "\
    WITH old AS (\
        SELECT token_id, hour, outcome FROM token_usage WHERE hour < $1 ORDER BY hour LIMIT $2 FOR UPDATE SKIP LOCKED) \
    DELETE FROM token_usage AS kept USING old \
    WHERE kept.token_id = old.token_id AND kept.hour = old.hour AND kept.outcome = old.outcome";
const FORGET_ADDRESSES: &str = "\
    WITH old AS (\
        SELECT token_id, address FROM token_addresses WHERE seen_at < $1 ORDER BY seen_at LIMIT $2 \
        FOR UPDATE SKIP LOCKED) \
    DELETE FROM token_addresses AS kept USING old \
    WHERE kept.token_id = old.token_id AND kept.address = old.address";

#[async_trait]
impl UsageRepository for PostgresStore {
    async fn record_usage(&self, usage: &[TokenUsage]) -> Result<(), StoreError> {
        let usage = usage.to_vec();
        self.write(async move |connection| record(connection, &usage).await).await
    }

    async fn usage(&self, scope: &UsageScope, hours: Range<Hour>) -> Result<Vec<UseCount>, StoreError> {
        let mut connection = self.connection().await?;
        let statement = bound(&sum_by_hour(scope), scope, hours);
        let rows: Vec<UseCountRow> = statement.load(&mut connection).await.map_err(store_error)?;
        Ok(use_counts(rows)?)
    }

    async fn most_used(
        &self,
        scope: &UsageScope,
        hours: Range<Hour>,
        limit: u32,
    ) -> Result<Vec<UsedToken>, StoreError> {
        let mut connection = self.connection().await?;
        let statement = bound(&most_used(scope), scope, hours).bind::<BigInt, _>(i64::from(limit));
        let rows: Vec<UsedTokenRow> = statement.load(&mut connection).await.map_err(store_error)?;
        Ok(rows::all(rows)?)
    }

    async fn last_hours(
        &self,
        outcome: UseOutcome,
        hours: Range<Hour>,
        after: Option<TokenId>,
        limit: u32,
    ) -> Result<Vec<(TokenId, Hour)>, StoreError> {
        let Some(first) = DbId::following(after) else { return Ok(Vec::new()) };
        let mut connection = self.connection().await?;
        let statement = sql_query(LAST_HOURS)
            .bind::<Text, _>(outcome.as_str())
            .bind::<Int, _>(hour(hours.start))
            .bind::<Int, _>(hour(hours.end))
            .bind::<Id, _>(first)
            .bind::<BigInt, _>(i64::from(limit));
        let rows: Vec<LastHourRow> = statement.load(&mut connection).await.map_err(store_error)?;
        Ok(rows::all(rows)?)
    }

    async fn addresses_of(&self, token: TokenId) -> Result<Vec<SeenAddress>, StoreError> {
        let mut connection = self.connection().await?;
        let statement = sql_query(ADDRESSES).bind::<Id, _>(DbId::from(token));
        let rows: Vec<AddressRow> = statement.load(&mut connection).await.map_err(store_error)?;
        Ok(rows::all(rows)?)
    }

    async fn forget_usage(&self, before: Hour) -> Result<u64, StoreError> {
        let at_once = i64::try_from(FORGOTTEN_AT_ONCE).unwrap_or(i64::MAX);
        let counts = || sql_query(FORGET_COUNTS).bind::<Int, _>(hour(before)).bind::<BigInt, _>(at_once);
        let addresses = || {
            let before = DbTime::from(before.start());
            sql_query(FORGET_ADDRESSES).bind::<UtcTime, _>(before).bind::<BigInt, _>(at_once)
        };
        Ok(self.forget(counts).await? + self.forget(addresses).await?)
    }
}

async fn record(connection: &mut Connection, usage: &[TokenUsage]) -> Result<(), DbError> {
    // In order, so that two processes that record usage cannot wait for each other, and none is deleted meanwhile.
    let there = lock_tokens(connection, usage.iter().map(|usage| usage.token)).await?;
    let usage = usage.iter().filter(|usage| there.contains(&DbId::from(usage.token)));
    let (mut tokens, mut hours, mut outcomes, mut counts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut seen, mut addresses, mut moments) = (Vec::new(), Vec::new(), Vec::new());
    for TokenUsage { token, counts: own, addresses: own_addresses } in usage {
        for one in own {
            tokens.push(DbId::from(*token));
            hours.push(hour(one.hour));
            outcomes.push(one.outcome.as_str());
            counts.push(i64::try_from(one.count).unwrap_or(i64::MAX));
        }
        for one in own_addresses {
            seen.push(DbId::from(*token));
            addresses.push(one.address.to_string());
            moments.push(DbTime::from(one.seen_at));
        }
    }
    sql_query(ADD_COUNTS)
        .bind::<Array<Id>, _>(tokens)
        .bind::<Array<Int>, _>(hours)
        .bind::<Array<Text>, _>(outcomes)
        .bind::<Array<BigInt>, _>(counts)
        .execute(connection)
        .await?;
    if seen.is_empty() {
        return Ok(());
    }
    sql_query(ADD_ADDRESSES)
        .bind::<Array<Id>, _>(&seen)
        .bind::<Array<Text>, _>(addresses)
        .bind::<Array<UtcTime>, _>(moments)
        .execute(connection)
        .await?;
    sql_query(DROP_ADDRESSES)
        .bind::<Array<Id>, _>(seen)
        .bind::<Int, _>(DbInt(i64::try_from(SeenAddress::MAX).unwrap_or(i64::MAX)))
        .execute(connection)
        .await?;
    Ok(())
}
