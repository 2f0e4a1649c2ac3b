//! How often tokens are used: the statements that read it, and their rows.

use std::net::IpAddr;

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Text},
};
use latchkey_domain::{Hour, TokenId, TokenName, UseOutcome};
use latchkey_ports::{Inconsistency, SeenAddress, UsageScope, UseCount, UsedToken};

use crate::{
    columns::{DbId, DbInt, DbTime, Id, Int, Parsed, UtcTime},
    rows::inconsistency,
};

/// The number of rows that are deleted at once, so that others can write in between.
pub const FORGOTTEN_AT_ONCE: usize = 5_000;

/// Selects the last addresses of the token `$1`.
pub const ADDRESSES: &str =
    "SELECT address, seen_at FROM token_addresses WHERE token_id = $1 ORDER BY seen_at DESC, address";

/// Returns the statement that sums the uses of tokens by hour and outcome. Its binds are those of the scope, and the hours from
/// the first to the one after the last: the id of the token, the id of the project, or three kinds.
#[must_use]
pub fn sum_by_hour(scope: &UsageScope) -> String {
    let (source, after) = source(scope);
    format!(
        "SELECT used.hour, used.outcome, CAST(sum(used.count) AS bigint) AS count {source} \
         AND used.hour >= ${} AND used.hour < ${} GROUP BY used.hour, used.outcome",
        after,
        after + 1
    )
}

/// Returns the statement that sums the uses of each token and selects those that were used most. Its binds are those of
/// [`sum_by_hour`], and the number of tokens.
#[must_use]
pub fn most_used(scope: &UsageScope) -> String {
    let (source, after) = source(scope);
    format!(
        "SELECT token.id, token.name, \
         CAST(sum(CASE WHEN used.outcome = 'verified' THEN used.count ELSE 0 END) AS bigint) AS verified, \
         CAST(sum(CASE WHEN used.outcome = 'verified' THEN 0 ELSE used.count END) AS bigint) AS refused {source} \
         AND used.hour >= ${} AND used.hour < ${} \
         GROUP BY token.id, token.name ORDER BY sum(used.count) DESC, token.id LIMIT ${}",
        after,
        after + 1,
        after + 2
    )
}

/// Returns where the uses of these tokens are, and the number of the bind after those of the scope.
fn source(scope: &UsageScope) -> (&'static str, u32) {
    match scope {
        UsageScope::One(_) => (
            "FROM token_usage AS used INNER JOIN api_tokens AS token ON token.id = used.token_id \
             WHERE used.token_id = $1",
            2,
        ),
        // From the links to the tokens, because a project has few of them.
        UsageScope::Project(_) => (
            "FROM api_token_projects AS link INNER JOIN api_tokens AS token ON token.id = link.token_id \
             INNER JOIN token_usage AS used ON used.token_id = link.token_id WHERE link.project_id = $1",
            2,
        ),
        UsageScope::Kinds(_) => (
            "FROM token_usage AS used INNER JOIN api_tokens AS token ON token.id = used.token_id \
             WHERE token.kind IN ($1, $2, $3)",
            4,
        ),
    }
}

/// Returns the hour as stores keep it.
#[must_use]
pub fn hour(Hour(hour): Hour) -> DbInt {
    DbInt(hour.into())
}

/// A row of [`sum_by_hour`].
#[derive(QueryableByName)]
pub struct UseCountRow {
    #[diesel(sql_type = Int)]
    hour: DbInt,
    #[diesel(sql_type = Text)]
    outcome: Parsed<UseOutcome>,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl UseCountRow {
    /// Converts the rows, in order of hours and outcomes.
    ///
    /// # Errors
    /// The [`Inconsistency`] of the first row that has one.
    pub fn all(rows: Vec<Self>) -> Result<Vec<UseCount>, Inconsistency> {
        let counts = rows.into_iter().map(|Self { hour, outcome, count }| {
            let fault =
                |column, fault: &dyn std::fmt::Display| inconsistency("token_usage", column, hour.0, fault);
            Ok(UseCount {
                hour: Hour(u32::try_from(hour.0).map_err(|error| fault("hour", &error))?),
                outcome: outcome.0.map_err(|error| fault("outcome", &error))?,
                count: count.unsigned_abs(),
            })
        });
        let mut counts: Vec<_> = counts.collect::<Result<_, _>>()?;
        counts.sort_unstable();
        Ok(counts)
    }
}

/// A row of [`most_used`].
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
        Ok(Self {
            id,
            name: row.name.0.map_err(|fault| inconsistency("api_tokens", "name", id, fault))?,
            verified: row.verified.unsigned_abs(),
            refused: row.refused.unsigned_abs(),
        })
    }
}

/// A row of [`ADDRESSES`].
#[derive(QueryableByName)]
pub struct AddressRow {
    #[diesel(sql_type = Text)]
    address: Parsed<IpAddr>,
    #[diesel(sql_type = UtcTime)]
    seen_at: DbTime,
}

impl AddressRow {
    /// Converts the rows of a token.
    ///
    /// # Errors
    /// The [`Inconsistency`] of the first row that has one.
    pub fn all(token: TokenId, rows: Vec<Self>) -> Result<Vec<SeenAddress>, Inconsistency> {
        let addresses = rows.into_iter().map(|Self { address, seen_at: DbTime(millis) }| {
            let fault = |column, fault: &dyn std::fmt::Display| {
                inconsistency("token_addresses", column, token, fault)
            };
            Ok(SeenAddress {
                address: address.0.map_err(|error| fault("address", &error))?,
                seen_at: latchkey_domain::Timestamp::from_millis(millis)
                    .map_err(|error| fault("seen_at", &error))?,
            })
        });
        addresses.collect()
    }
}
