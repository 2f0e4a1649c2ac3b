//! The port of budgets. One statement each, outside a transaction: the lock of the one row that it changes makes processes take turns.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, result::DatabaseErrorKind,
    result::Error, sql_query, sql_types::BigInt,
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{RateLimit, Refill, Timestamp, TokenId, Uses};
use latchkey_ports::{BudgetRepository, Entity, RateGrant, StoreError, TakenUses, UsesDemand};
use latchkey_sql::{
    columns::{DbId, Id},
    errors::store_error,
    rows::{self, RateGrantRow, TakenUsesRow, UsesRow, amount},
    schema::token_uses,
};

use crate::{PostgresStore, connection::FixedText};

/// `RateLimit::record_at`, and what is taken then. The binds are the token, the start of the present window, how many are wanted,
/// the requests of a window, the burst, the length of a window, and by how much a window can be ahead.
const LEASE_RATE: &str = "\
    INSERT INTO token_rates AS kept (token_id, window_start, used, carried, granted) \
    SELECT id, $2, least($3, $4), 0, least($3, $4) FROM api_tokens WHERE id = $1 \
    ON CONFLICT (token_id) DO UPDATE SET (window_start, used, carried, granted) = (\
        SELECT present.start, present.used + least($3, present.room), present.carried, least($3, present.room) \
        FROM (\
            SELECT record.start, record.used, record.carried, greatest($4 + record.carried - record.used, 0) AS room \
            FROM (\
                SELECT kept.window_start AS start, kept.used AS used, least(kept.carried, $5) AS carried \
                WHERE kept.window_start - $2 BETWEEN 0 AND $7 \
                UNION ALL \
                SELECT $2, 0, least($5, greatest($4 + kept.carried - kept.used, 0) \
                    + $4 * least(greatest(($2 - kept.window_start) / $6 - 1, 0), $5)) \
                WHERE kept.window_start - $2 NOT BETWEEN 0 AND $7\
            ) AS record\
        ) AS present) \
    RETURNING window_start, used, carried, granted";
const RETURN_RATE: &str =
    "UPDATE token_rates SET used = greatest(used - $3, 0) WHERE token_id = $1 AND window_start = $2";
/// `Uses::record_at`, and what is taken then. The binds are the token, when its uses were set, how many there are then and are left
/// by the refills until now, up to how many a refill adds, the number of refills until now, how many are wanted, and how many at least.
const TAKE_USES: &str = "\
    INSERT INTO token_uses AS kept (token_id, set_at, remaining, refills, taken) \
    SELECT id, $2, $3 - demand.taken, $5, demand.taken FROM api_tokens, \
        (SELECT CASE WHEN least($6, $3) >= $7 THEN least($6, $3) ELSE 0 END AS taken) AS demand WHERE id = $1 \
    ON CONFLICT (token_id) DO UPDATE SET (set_at, remaining, refills, taken) = (\
        SELECT demand.set_at, demand.remaining - demand.taken, demand.refills, demand.taken \
        FROM (\
            SELECT record.set_at, record.remaining, record.refills, \
                CASE WHEN least($6, record.remaining) >= $7 THEN least($6, record.remaining) ELSE 0 END AS taken \
            FROM (\
                SELECT greatest(kept.set_at, $2) AS set_at, \
                    CASE WHEN kept.set_at < $2 THEN $3 \
                        WHEN kept.set_at = $2 AND kept.refills < $5 THEN greatest(kept.remaining, $4) \
                        ELSE kept.remaining END AS remaining, \
                    CASE WHEN kept.set_at < $2 THEN $5 \
                        WHEN kept.set_at = $2 THEN greatest(kept.refills, $5) \
                        ELSE kept.refills END AS refills\
            ) AS record\
        ) AS demand) \
    RETURNING remaining, taken";

/// Names of the statements.
struct LeaseRate;
struct ReturnRate;
struct TakeUses;

#[async_trait]
impl BudgetRepository for PostgresStore {
    async fn lease_rate(
        &self,
        token: TokenId,
        limit: &RateLimit,
        wanted: u32,
        now: Timestamp,
    ) -> Result<RateGrant, StoreError> {
        let statement = FixedText::<LeaseRate, _>::new(
            sql_query(LEASE_RATE)
                .bind::<Id, _>(DbId::from(token))
                .bind::<BigInt, _>(limit.window(now).millis())
                .bind::<BigInt, _>(i64::from(wanted))
                .bind::<BigInt, _>(i64::from(limit.requests()))
                .bind::<BigInt, _>(i64::from(limit.burst()))
                .bind::<BigInt, _>(limit.per_millis())
                .bind::<BigInt, _>(limit.skew_millis()),
        );
        let mut connection = self.connection().await?;
        let row: Result<RateGrantRow, Error> = statement.get_result(&mut connection).await;
        Ok(of_token(row, token)?.of(limit))
    }

    async fn return_rate(&self, token: TokenId, window: Timestamp, unused: u64) -> Result<(), StoreError> {
        let statement = FixedText::<ReturnRate, _>::new(
            sql_query(RETURN_RATE)
                .bind::<Id, _>(DbId::from(token))
                .bind::<BigInt, _>(window.millis())
                .bind::<BigInt, _>(amount(unused)),
        );
        let mut connection = self.connection().await?;
        statement.execute(&mut connection).await.map_err(store_error)?;
        Ok(())
    }

    async fn take_uses(
        &self,
        token: TokenId,
        uses: &Uses,
        demand: UsesDemand,
        now: Timestamp,
    ) -> Result<TakenUses, StoreError> {
        let fresh = uses.record_at(token, None, now);
        let statement = FixedText::<TakeUses, _>::new(
            sql_query(TAKE_USES)
                .bind::<Id, _>(DbId::from(token))
                .bind::<BigInt, _>(fresh.since.millis())
                .bind::<BigInt, _>(amount(fresh.left))
                .bind::<BigInt, _>(amount(uses.refill().map_or(0, |refill| Refill::amount(&refill))))
                .bind::<BigInt, _>(amount(fresh.refills))
                .bind::<BigInt, _>(amount(demand.wanted))
                .bind::<BigInt, _>(amount(demand.at_least)),
        );
        let mut connection = self.connection().await?;
        let row: Result<TakenUsesRow, Error> = statement.get_result(&mut connection).await;
        Ok(of_token(row, token)?.into())
    }

    async fn uses_left(&self, tokens: &[(TokenId, Uses)], now: Timestamp) -> Result<Vec<u64>, StoreError> {
        let ids: Vec<_> = tokens.iter().map(|(token, _)| DbId::from(*token)).collect();
        let kept = token_uses::table.filter(token_uses::token_id.eq_any(ids)).select(UsesRow::as_select());
        let mut connection = self.connection().await?;
        let rows: Vec<UsesRow> = kept.load(&mut connection).await.map_err(store_error)?;
        Ok(rows::uses_left(rows, tokens, now)?)
    }
}

/// Returns the row; none is there of a token that does not exist, or was removed at the same time.
fn of_token<R>(row: Result<R, Error>, token: TokenId) -> Result<R, StoreError> {
    match row.optional() {
        Ok(Some(row)) => Ok(row),
        Ok(None) | Err(Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)) => {
            Err(StoreError::NotFound(Entity::Token(token)))
        }
        Err(error) => Err(store_error(error)),
    }
}
