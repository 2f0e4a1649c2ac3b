//! Counts of everything: the statements and their rows.

use std::collections::BTreeMap;

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Text},
};
use latchkey_domain::{EnvironmentName, TokenKind};
use latchkey_ports::{Inconsistency, Statistics};

use crate::{columns::Parsed, rows::inconsistency};

/// Counts everything but tokens.
pub const COUNT_ALL: &str = "\
    SELECT (SELECT count(*) FROM users WHERE account_kind = 'person') AS users, \
        (SELECT count(*) FROM users WHERE account_kind = 'service') AS service_accounts, \
        (SELECT count(*) FROM projects) AS projects, \
        (SELECT count(*) FROM environments) AS environments, \
        (SELECT count(*) FROM roles) AS roles, \
        (SELECT count(*) FROM roles WHERE kind = 'root-custom') AS custom_root_roles";

/// Counts the tokens of each kind.
pub const COUNT_KINDS: &str = "SELECT kind, count(*) AS tokens FROM api_tokens GROUP BY kind";

/// Counts the tokens that work in the project `$1`, by environment.
pub const COUNT_TOKENS_IN_PROJECT: &str = "\
    SELECT environment, count(*) AS tokens FROM (\
        SELECT token.environment FROM api_token_projects AS link \
            JOIN api_tokens AS token ON token.id = link.token_id WHERE link.project_id = $1 \
        UNION ALL \
        SELECT environment FROM api_tokens WHERE all_projects AND environment IS NOT NULL\
    ) AS own GROUP BY environment";

/// The row of [`COUNT_ALL`].
#[derive(QueryableByName)]
pub struct StatisticsRow {
    #[diesel(sql_type = BigInt)]
    users: i64,
    #[diesel(sql_type = BigInt)]
    service_accounts: i64,
    #[diesel(sql_type = BigInt)]
    projects: i64,
    #[diesel(sql_type = BigInt)]
    environments: i64,
    #[diesel(sql_type = BigInt)]
    roles: i64,
    #[diesel(sql_type = BigInt)]
    custom_root_roles: i64,
}

/// A row of [`COUNT_KINDS`].
#[derive(QueryableByName)]
pub struct KindCountRow {
    #[diesel(sql_type = Text)]
    kind: Parsed<TokenKind>,
    #[diesel(sql_type = BigInt)]
    tokens: i64,
}

/// A row of [`COUNT_TOKENS_IN_PROJECT`].
#[derive(QueryableByName)]
pub struct EnvironmentCountRow {
    #[diesel(sql_type = Text)]
    environment: Parsed<EnvironmentName>,
    #[diesel(sql_type = BigInt)]
    tokens: i64,
}

/// Converts the rows of [`COUNT_ALL`] and [`COUNT_KINDS`].
///
/// # Errors
/// The [`Inconsistency`] of a kind that does not exist.
pub fn statistics(row: &StatisticsRow, kinds: Vec<KindCountRow>) -> Result<Statistics, Inconsistency> {
    let tokens = kinds.into_iter().map(|KindCountRow { kind, tokens }| {
        let kind = kind.0.map_err(|fault| inconsistency("api_tokens", "kind", "of one kind", fault))?;
        Ok((kind, tokens.unsigned_abs()))
    });
    Ok(Statistics {
        users: row.users.unsigned_abs(),
        service_accounts: row.service_accounts.unsigned_abs(),
        projects: row.projects.unsigned_abs(),
        environments: row.environments.unsigned_abs(),
        roles: row.roles.unsigned_abs(),
        custom_root_roles: row.custom_root_roles.unsigned_abs(),
        tokens: tokens.collect::<Result<_, _>>()?,
    })
}

/// Converts the rows of [`COUNT_TOKENS_IN_PROJECT`].
///
/// # Errors
/// The [`Inconsistency`] of an environment whose name is invalid.
pub fn tokens_in_project(
    rows: Vec<EnvironmentCountRow>,
) -> Result<BTreeMap<EnvironmentName, u64>, Inconsistency> {
    let counts = rows.into_iter().map(|EnvironmentCountRow { environment, tokens }| {
        let name = environment
            .0
            .map_err(|fault| inconsistency("api_tokens", "environment", "of one environment", fault))?;
        Ok((name, tokens.unsigned_abs()))
    });
    counts.collect()
}
