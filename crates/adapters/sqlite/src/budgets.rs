//! The port of budgets. One connection writes, so what is read in its transaction is what is changed.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper, SqliteConnection,
    insert_into, sql_query, sql_types::BigInt,
};
use latchkey_domain::{RateLimit, RateRecord, Timestamp, TokenId, Uses, UsesRecord};
use latchkey_ports::{BudgetRepository, RateGrant, StoreError, TakenUses, UsesDemand};
use latchkey_sql::{
    columns::{DbId, Id},
    errors::DbError,
    rows::{self, RateRow, UsesRow, amount},
    schema::{token_rates, token_uses},
};

use crate::{SqliteStore, existence::check_token};

const RETURN_RATE: &str =
    "UPDATE token_rates SET used = max(used - ?, 0) WHERE token_id = ? AND window_start = ?";

#[async_trait]
impl BudgetRepository for SqliteStore {
    async fn lease_rate(
        &self,
        token: TokenId,
        limit: &RateLimit,
        wanted: u32,
        now: Timestamp,
    ) -> Result<RateGrant, StoreError> {
        let limit = *limit;
        self.write(move |connection| lease(connection, token, &limit, wanted, now)).await
    }

    async fn return_rate(&self, token: TokenId, window: Timestamp, unused: u64) -> Result<(), StoreError> {
        self.write(move |connection| {
            let statement = sql_query(RETURN_RATE)
                .bind::<BigInt, _>(amount(unused))
                .bind::<Id, _>(DbId::from(token))
                .bind::<BigInt, _>(window.millis());
            statement.execute(connection)?;
            Ok(())
        })
        .await
    }

    async fn take_uses(
        &self,
        token: TokenId,
        uses: &Uses,
        demand: UsesDemand,
        now: Timestamp,
    ) -> Result<TakenUses, StoreError> {
        let uses = *uses;
        self.write(move |connection| take(connection, token, &uses, demand, now)).await
    }

    async fn uses_left(&self, tokens: &[(TokenId, Uses)], now: Timestamp) -> Result<Vec<u64>, StoreError> {
        let tokens = tokens.to_vec();
        self.read(move |connection| {
            let ids: Vec<_> = tokens.iter().map(|(token, _)| DbId::from(*token)).collect();
            let kept = token_uses::table.filter(token_uses::token_id.eq_any(ids));
            let rows: Vec<UsesRow> = kept.select(UsesRow::as_select()).load(connection)?;
            Ok(rows::uses_left(rows, &tokens, now)?)
        })
        .await
    }
}

fn lease(
    connection: &mut SqliteConnection,
    token: TokenId,
    limit: &RateLimit,
    wanted: u32,
    now: Timestamp,
) -> Result<RateGrant, DbError> {
    check_token(connection, token)?;
    let kept = token_rates::table.find(DbId::from(token)).select(RateRow::as_select());
    let kept: Option<RateRecord> = rows::optional(kept.first(connection).optional()?)?;
    let record = limit.record_at(kept, now);
    let room = limit.room(&record);
    let granted = room.min(wanted.into());
    let changed = (
        token_rates::window_start.eq(record.window.millis()),
        token_rates::used.eq(amount(record.used + granted)),
        token_rates::carried.eq(amount(record.carried)),
        token_rates::granted.eq(amount(granted)),
    );
    insert_into(token_rates::table)
        .values((token_rates::token_id.eq(DbId::from(token)), changed))
        .on_conflict(token_rates::token_id)
        .do_update()
        .set(changed)
        .execute(connection)?;
    Ok(RateGrant { granted, left: room - granted, window: record.window })
}

fn take(
    connection: &mut SqliteConnection,
    token: TokenId,
    uses: &Uses,
    demand: UsesDemand,
    now: Timestamp,
) -> Result<TakenUses, DbError> {
    check_token(connection, token)?;
    let kept = token_uses::table.find(DbId::from(token)).select(UsesRow::as_select());
    let kept: Option<UsesRecord> = rows::optional(kept.first(connection).optional()?)?;
    let record = uses.record_at(token, kept, now);
    let got = demand.taken_of(record.left);
    let left = record.left - got;
    let changed = (
        token_uses::set_at.eq(record.since.millis()),
        token_uses::remaining.eq(amount(left)),
        token_uses::refills.eq(amount(record.refills)),
        token_uses::taken.eq(amount(got)),
    );
    insert_into(token_uses::table)
        .values((token_uses::token_id.eq(DbId::from(token)), changed))
        .on_conflict(token_uses::token_id)
        .do_update()
        .set(changed)
        .execute(connection)?;
    Ok(TakenUses { taken: got, left })
}
