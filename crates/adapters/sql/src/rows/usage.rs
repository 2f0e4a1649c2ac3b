//! How often tokens are used.

use std::net::IpAddr;

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Text},
};
use latchkey_domain::{Hour, TokenId, TokenName, UseOutcome};
use latchkey_ports::{Inconsistency, SeenAddress, UseCount, UsedToken};

use super::{Row, all};
use crate::columns::{DbId, DbInt, DbTime, Id, Int, Parsed, UtcTime};

/// A row of [`crate::usage::sum_by_hour`].
#[derive(QueryableByName)]
pub struct UseCountRow {
    #[diesel(sql_type = Int)]
    hour: DbInt,
    #[diesel(sql_type = Text)]
    outcome: Parsed<UseOutcome>,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl TryFrom<UseCountRow> for UseCount {
    type Error = Inconsistency;

    fn try_from(row: UseCountRow) -> Result<Self, Inconsistency> {
        let DbInt(hour) = row.hour;
        let at = Row { table: "token_usage", key: hour };
        Ok(Self {
            hour: Hour(at.column("hour", u32::try_from(hour))?),
            outcome: at.parsed("outcome", row.outcome)?,
            count: at.count("count", row.count)?,
        })
    }
}

/// Converts rows to counts, in order of hours and outcomes.
///
/// # Errors
/// The [`Inconsistency`] of the first row that has one.
pub fn use_counts(rows: Vec<UseCountRow>) -> Result<Vec<UseCount>, Inconsistency> {
    let mut counts: Vec<UseCount> = all(rows)?;
    counts.sort_unstable();
    Ok(counts)
}

/// A row of [`crate::usage::most_used`].
#[derive(QueryableByName)]
pub struct UsedTokenRow {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = Text)]
    name: Parsed<TokenName>,
    #[diesel(sql_type = BigInt)]
    verified: i64,
    #[diesel(sql_type = BigInt)]
    refused: i64,
}

impl TryFrom<UsedTokenRow> for UsedToken {
    type Error = Inconsistency;

    fn try_from(row: UsedTokenRow) -> Result<Self, Inconsistency> {
        let id = TokenId::from_uuid(row.id.0);
        let at = Row { table: "api_tokens", key: id };
        Ok(Self {
            id,
            name: at.parsed("name", row.name)?,
            verified: at.count("verified", row.verified)?,
            refused: at.count("refused", row.refused)?,
        })
    }
}

/// A row of [`crate::usage::LAST_HOURS`].
#[derive(QueryableByName)]
pub struct LastHourRow {
    #[diesel(sql_type = Id)]
    token_id: DbId,
    #[diesel(sql_type = Int)]
    hour: DbInt,
}

impl TryFrom<LastHourRow> for (TokenId, Hour) {
    type Error = Inconsistency;

    fn try_from(row: LastHourRow) -> Result<Self, Inconsistency> {
        let token = TokenId::from_uuid(row.token_id.0);
        let at = Row { table: "token_usage", key: token };
        Ok((token, Hour(at.column("hour", u32::try_from(row.hour.0))?)))
    }
}

/// A row of [`crate::usage::ADDRESSES`].
#[derive(QueryableByName)]
pub struct AddressRow {
    #[diesel(sql_type = Id)]
    token_id: DbId,
    #[diesel(sql_type = Text)]
    address: Parsed<IpAddr>,
    #[diesel(sql_type = UtcTime)]
    seen_at: DbTime,
}

impl TryFrom<AddressRow> for SeenAddress {
    type Error = Inconsistency;

    fn try_from(row: AddressRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "token_addresses", key: TokenId::from_uuid(row.token_id.0) };
        Ok(Self { address: at.parsed("address", row.address)?, seen_at: at.time("seen_at", row.seen_at)? })
    }
}
