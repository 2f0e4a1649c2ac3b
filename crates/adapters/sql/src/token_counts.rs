//! Counts of API tokens: the statement and its rows.

use std::collections::BTreeMap;

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Text},
};
use latchkey_domain::TokenKind;
use latchkey_ports::{Inconsistency, TokenCounts};

use crate::{columns::Parsed, rows::inconsistency};

/// Counts the tokens of each kind, by the moments `$1` (now), `$2` (in 7 days), `$3` (in 30 days) and `$4` (90 days ago).
pub const COUNT_TOKENS: &str = "\
    SELECT kind, count(*) AS all_tokens, \
        count(*) FILTER (WHERE expires_at > $1 AND expires_at <= $2) AS expiring_in_7_days, \
        count(*) FILTER (WHERE expires_at > $1 AND expires_at <= $3) AS expiring_in_30_days, \
        count(*) FILTER (WHERE coalesce(expires_at > $1, TRUE) AND created_at < $4 \
            AND coalesce(seen_at < $4, TRUE)) AS unused_for_90_days \
    FROM api_tokens GROUP BY kind";

/// The counts of one kind.
#[derive(QueryableByName)]
pub struct TokenCountsRow {
    #[diesel(sql_type = Text)]
    kind: Parsed<TokenKind>,
    #[diesel(sql_type = BigInt)]
    all_tokens: i64,
    #[diesel(sql_type = BigInt)]
    expiring_in_7_days: i64,
    #[diesel(sql_type = BigInt)]
    expiring_in_30_days: i64,
    #[diesel(sql_type = BigInt)]
    unused_for_90_days: i64,
}

/// Converts the rows of [`COUNT_TOKENS`].
///
/// # Errors
/// The [`Inconsistency`] of a kind that does not exist.
pub fn token_counts(rows: Vec<TokenCountsRow>) -> Result<BTreeMap<TokenKind, TokenCounts>, Inconsistency> {
    let counts = |row: TokenCountsRow| {
        let kind = row.kind.0.map_err(|fault| inconsistency("api_tokens", "kind", "of one kind", fault))?;
        let counts = TokenCounts {
            all: row.all_tokens.unsigned_abs(),
            expiring_in_7_days: row.expiring_in_7_days.unsigned_abs(),
            expiring_in_30_days: row.expiring_in_30_days.unsigned_abs(),
            unused_for_90_days: row.unused_for_90_days.unsigned_abs(),
        };
        Ok((kind, counts))
    };
    rows.into_iter().map(counts).collect()
}
