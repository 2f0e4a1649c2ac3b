//! What is left of the limits of tokens.

use std::collections::HashMap;

use diesel::{Queryable, QueryableByName, Selectable, sql_types::BigInt};
use latchkey_domain::{RateLimit, RateRecord, Timestamp, TokenId, Uses, UsesRecord};
use latchkey_ports::{Inconsistency, RateGrant, TakenUses};

use super::Row;
use crate::{
    columns::{DbId, DbTime},
    schema::{token_rates, token_uses},
};

/// A row of `token_rates`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = token_rates)]
pub struct RateRow {
    token_id: DbId,
    window_start: i64,
    used: i64,
    carried: i64,
}

impl TryFrom<RateRow> for RateRecord {
    type Error = Inconsistency;

    fn try_from(row: RateRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "token_rates", key: TokenId::from_uuid(row.token_id.0) };
        Ok(Self {
            window: at.time("window_start", DbTime(row.window_start))?,
            used: at.count("used", row.used)?,
            carried: at.count("carried", row.carried)?,
        })
    }
}

/// The row that a statement returns when it has taken a portion of a window.
#[derive(QueryableByName)]
pub struct RateGrantRow {
    #[diesel(sql_type = BigInt)]
    window_start: i64,
    #[diesel(sql_type = BigInt)]
    used: i64,
    #[diesel(sql_type = BigInt)]
    carried: i64,
    #[diesel(sql_type = BigInt)]
    granted: i64,
}

impl RateGrantRow {
    /// Returns what was taken of this limit. The statement has computed the numbers, so they are in range.
    #[must_use]
    pub fn of(self, limit: &RateLimit) -> RateGrant {
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        let window = Timestamp::saturating_from_millis(self.window_start);
        let record = RateRecord { window, used: number(self.used), carried: number(self.carried) };
        RateGrant { granted: number(self.granted), left: limit.room(&record), window }
    }
}

/// A row of `token_uses`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = token_uses)]
pub struct UsesRow {
    token_id: DbId,
    set_at: i64,
    remaining: i64,
    refills: i64,
}

impl UsesRow {
    /// Returns the token.
    #[must_use]
    pub fn token(&self) -> TokenId {
        TokenId::from_uuid(self.token_id.0)
    }
}

impl TryFrom<UsesRow> for UsesRecord {
    type Error = Inconsistency;

    fn try_from(row: UsesRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "token_uses", key: row.token() };
        Ok(Self {
            since: at.time("set_at", DbTime(row.set_at))?,
            left: at.count("remaining", row.remaining)?,
            refills: at.count("refills", row.refills)?,
        })
    }
}

/// The row that a statement returns when it has taken uses.
#[derive(QueryableByName)]
pub struct TakenUsesRow {
    #[diesel(sql_type = BigInt)]
    remaining: i64,
    #[diesel(sql_type = BigInt)]
    taken: i64,
}

impl From<TakenUsesRow> for TakenUses {
    fn from(row: TakenUsesRow) -> Self {
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        Self { taken: number(row.taken), left: number(row.remaining) }
    }
}

/// Returns how many uses each token has left, in the same order, after these rows.
///
/// # Errors
/// The [`Inconsistency`] of the first row that has one.
pub fn uses_left(
    rows: Vec<UsesRow>,
    tokens: &[(TokenId, Uses)],
    now: Timestamp,
) -> Result<Vec<u64>, Inconsistency> {
    let kept = rows.into_iter().map(|row| Ok((row.token(), row.try_into()?)));
    let kept: HashMap<TokenId, UsesRecord> = kept.collect::<Result<_, Inconsistency>>()?;
    Ok(tokens
        .iter()
        .map(|(token, uses)| uses.record_at(*token, kept.get(token).copied(), now).left)
        .collect())
}

/// Returns a number of requests or uses as stores keep it.
#[must_use]
pub fn amount(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
